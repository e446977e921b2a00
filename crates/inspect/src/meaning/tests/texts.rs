//! Words of a shell, SQL, templates, code, addresses of mailboxes, lines of headers, identifiers.

use super::*;

#[test]
fn n1_1_a_declared_word_of_a_shell_is_one_word() {
    let kind = Kind::of(Meaning::Shell);
    check(
        &kind,
        &[
            ("word", "-"),
            ("file.txt", "-"),
            ("a/b_c-d.e:f@g+h=i,j", "-"),
            ("50%", "-"),
            ("übung", "-"),
            ("a#b", "-"),
            ("a~b", "-"),
            ("x\0", "shell.nul"),
            ("$(id)", "shell.substitution"),
            ("${IFS}", "shell.substitution"),
            ("$[1+1]", "shell.substitution"),
            ("`id`", "shell.substitution"),
            ("<(id)", "shell.substitution"),
            (">(id)", "shell.substitution"),
            ("a;b", "shell.chaining"),
            ("a|b", "shell.chaining"),
            ("a||b", "shell.chaining"),
            ("a&b", "shell.chaining"),
            ("a\nb", "shell.chaining"),
            ("a\r\nb", "shell.chaining"),
            ("a\u{b}b", "shell.chaining"),
            ("a\u{1b}b", "shell.chaining"),
            ("a\u{7f}b", "shell.chaining"),
            ("a>b", "shell.redirection"),
            ("a<b", "shell.redirection"),
            ("2>&1", "shell.redirection"),
            ("-rf", "shell.option"),
            ("--upload-pack=x", "shell.option"),
            ("-oProxyCommand=x", "shell.option"),
            (" -x", "shell.option"),
            ("\u{2013}x", "shell.option"),
            ("\u{ad}dallow_url_include=1", "shell.option"),
            ("\u{ff0d}x", "shell.option"),
            ("$HOME", "shell.variable"),
            ("%PATH%", "shell.variable"),
            ("!x!", "shell.variable"),
            ("a^b", "shell.variable"),
            ("'a'", "shell.quote"),
            ("a\"b", "shell.quote"),
            ("a\\b", "shell.quote"),
            ("(a)", "shell.quote"),
            ("*", "shell.glob"),
            ("a?", "shell.glob"),
            ("{a,b}", "shell.glob"),
            ("[a]", "shell.glob"),
            ("~root", "shell.glob"),
            ("#x", "shell.glob"),
            ("a b", "shell.space"),
            ("a\tb", "shell.space"),
        ],
    );
    passes(&kind, &["ls -la | grep x", "echo $(date)", "-rf", "a && b"]);
    refuses(&kind, &["ls\0"]);
}

#[test]
fn n1_1_a_value_of_sql_does_not_become_a_statement() {
    let kind = Kind::of(Meaning::SqlValue);
    check(&kind, VALUES);
    passes(&kind, &["1 OR 1=1", "'; drop table x"]);
}

const VALUES: &[(&str, &str)] = &[
    ("1 OR 1=1", "sql.tautology"),
    ("1 or 2>1", "sql.tautology"),
    ("1 AND 1=1", "sql.tautology"),
    ("1 or true--", "sql.tautology"),
    ("' or 'a'='a", "sql.tautology"),
    ("' or '1'='1' --", "sql.tautology"),
    ("x' OR 'x' LIKE 'x", "sql.tautology"),
    ("') or ('1'='1", "sql.tautology"),
    ("\" or \"\"=\"", "sql.breakout"),
    ("1/**/or/**/1=1", "sql.tautology"),
    ("1 UNION SELECT a FROM b", "sql.union"),
    ("1 union all select null,null", "sql.union"),
    ("' UNION/**/SELECT 1", "sql.union"),
    ("1 union distinct select 1", "sql.union"),
    ("1; DROP TABLE users", "sql.stacked"),
    ("1;delete from x", "sql.stacked"),
    ("'; exec xp_cmdshell 'dir'", "sql.stacked"),
    ("x'; select pg_sleep(5)", "sql.stacked"),
    ("1;SHUTDOWN", "sql.stacked"),
    ("admin'--", "sql.breakout"),
    ("admin'#", "sql.breakout"),
    ("admin' /*", "sql.breakout"),
    ("admin';--", "sql.breakout"),
    ("' = '", "sql.breakout"),
    ("'||(select 1)||'", "sql.breakout"),
    ("' and exists (select 1)", "sql.breakout"),
    ("' or id > 0", "sql.breakout"),
    ("'/**/or/**/id/**/>/**/0", "sql.breakout"),
    ("' order by 3 ", "sql.breakout"),
    ("') limit 1", "sql.breakout"),
    ("' having 1=1", "sql.breakout"),
    ("1--", "sql.comment"),
    ("1 -- ", "sql.comment"),
    ("/*! select */", "sql.comment"),
    ("1 and sleep(5)", "sql.function"),
    ("benchmark(1,2)", "sql.function"),
    ("pg_sleep(5)", "sql.function"),
    ("load_file('/x')", "sql.function"),
    ("1 into outfile '/x'", "sql.function"),
    ("1 waitfor delay '0:0:5'", "sql.function"),
    ("xp_dirtree", "sql.function"),
    ("utl_http.request('x')", "sql.function"),
    ("dbms_pipe.receive_message('a',5)", "sql.function"),
    ("extractvalue(1,2)", "sql.function"),
    ("a\0", "sql.nul"),
    ("O'Brien", "-"),
    ("d'Artagnan or de Winter", "-"),
    ("rock 'n' roll", "-"),
    ("it's 5 o'clock", "-"),
    ("the dogs' and the cats'", "-"),
    ("Alice's or Bob's", "-"),
    ("1 = 1", "-"),
    ("either 1 or 2", "-"),
    ("this or that", "-"),
    ("a -- b", "-"),
    ("well -- maybe", "-"),
    ("#hashtag", "-"),
    ("union of select committees", "-"),
    ("student union; select one", "sql.stacked"),
    ("drop me a line", "-"),
    ("create; update", "-"),
    ("sleep (8 hours)", "sql.function"),
    ("sleep well", "-"),
    ("order by phone", "-"),
    ("SELECT", "-"),
    ("5\" pipe", "-"),
    ("say \"hello\" and wave", "-"),
    ("C# developer", "-"),
    ("x/*y", "-"),
    ("50% off; limited", "-"),
    ("", "-"),
];

#[test]
fn n1_1_a_statement_that_is_said_to_read_does_not_write() {
    let kind = Kind::of(Meaning::SqlQuery);
    check(&kind, STATEMENTS);
    passes(
        &kind,
        &[
            "insert into t values (1)",
            "select 1; select 2",
            "select '\\''",
        ],
    );
    let long = format!("select '{}'", "x".repeat(LONGEST_SQL));
    refuses(&kind, &["a\0", &long]);
}

const STATEMENTS: &[(&str, &str)] = &[
    ("SELECT 1", "-"),
    ("select * from t where a = 'x; drop table t'", "-"),
    ("select 'it''s' from t;", "-"),
    ("  -- a comment\nselect 1", "-"),
    ("/* one */ select /* two */ 1", "-"),
    ("(select 1) union (select 2)", "-"),
    ("with x as (select 1) select * from x", "-"),
    ("show tables", "-"),
    ("describe t", "-"),
    ("explain select 1", "-"),
    ("values (1)", "-"),
    ("select replace(a, 'b', 'c') from t", "-"),
    ("select updated_at, created, \"update\" from t", "-"),
    ("select deleted from drops", "-"),
    ("select a from t where b = $1", "-"),
    ("select 1;;", "-"),
    ("insert into t values (1)", "sql.writes"),
    ("update t set a = 1", "sql.writes"),
    ("delete from t", "sql.writes"),
    ("drop table t", "sql.writes"),
    (
        "with x as (delete from t returning *) select * from x",
        "sql.writes",
    ),
    ("select * into t2 from t", "sql.writes"),
    ("select 1 into outfile '/x'", "sql.writes"),
    ("explain analyze delete from t", "sql.writes"),
    ("select * from t for update", "sql.writes"),
    ("copy t to '/x'", "sql.writes"),
    ("call p()", "sql.writes"),
    ("exec p", "sql.writes"),
    // What nobody knows is not known to read.
    ("frobnicate t", "sql.writes"),
    ("set role x", "sql.writes"),
    ("pragma writable_schema=1", "sql.writes"),
    ("attach 'x' as y", "sql.writes"),
    ("do $$ x $$", "sql.writes"),
    ("replace into t values (1)", "sql.writes"),
    ("'x'", "sql.writes"),
    ("1", "sql.writes"),
    ("select 1; select 2", "sql.several"),
    ("select 1; drop table t", "sql.several"),
    ("select 1;\n-- x\ndelete from t", "sql.several"),
    ("select 1 /*! into outfile '/x' */", "sql.unclear"),
    ("select 1 /* open", "sql.unclear"),
    ("select /* a /* b */ drop */ 1", "sql.unclear"),
    ("select 'open", "sql.unclear"),
    ("select '\\'; drop table t; --'", "sql.unclear"),
    ("select '\\\\'", "sql.unclear"),
    ("select $$ x $$", "sql.unclear"),
    ("select $a$ ; drop $a$", "sql.unclear"),
    ("select 1 # x", "sql.unclear"),
    ("select pg_read_file('/x')", "sql.function"),
    ("select load_extension('x')", "sql.function"),
    ("select sleep(10)", "sql.function"),
    ("select dblink('x','y')", "sql.function"),
    ("select\0 1", "sql.nul"),
];

#[test]
fn n1_1_a_value_of_a_template_opens_no_expression() {
    let kind = Kind::of(Meaning::Template);
    check(
        &kind,
        &[
            ("Hello Ada", "-"),
            ("a { b } c", "-"),
            ("cost: $5 {net}", "-"),
            ("a % b", "-"),
            ("1 < 2 > 0", "-"),
            ("#tag and [link](x)", "-"),
            ("{{7*7}}", "template.expression"),
            ("{%if x%}", "template.expression"),
            ("${7*7}", "template.expression"),
            ("#{7*7}", "template.expression"),
            ("<%= 7*7 %>", "template.expression"),
            ("*{x}", "template.expression"),
            ("@{x}", "template.expression"),
            ("<#assign x=1>", "template.expression"),
            ("[[${x}]]", "template.expression"),
            ("@(1+1)", "template.expression"),
            ("{php}x{/php}", "template.expression"),
            ("<?php x", "template.expression"),
            ("{{''.__class__.__mro__}}", "template.reach"),
            ("{{x.constructor('y')()}}", "template.reach"),
            ("${T(java.lang.Runtime).getRuntime()}", "template.reach"),
            ("{{cycler|attr('x')}}", "template.reach"),
            ("{{_self.env.x}}", "template.reach"),
            ("${jndi:ldap://x}", "template.lookup"),
            ("${jndi:ldap://x}", "template.expression"),
            ("${JNDI:dns://x}", "template.lookup"),
            ("${${lower:j}ndi:x}", "template.lookup"),
            ("${${::-j}ndi:x}", "template.lookup"),
            ("${env:SECRET}", "template.lookup"),
        ],
    );
    passes(&kind, &["Hello {{name}}", "${name}", "<% x %>"]);
    refuses(&kind, &["x ${jndi:ldap://x} y"]);
}

#[test]
fn n1_1_code_that_reaches_out_is_told() {
    let kind = Kind::of(Meaning::Code);
    check(
        &kind,
        &[
            ("print(1 + 1)", "-"),
            ("def f(x):\n    return x\n", "-"),
            ("// größer\nlet a = 1;", "-"),
            ("import os\nos.system('id')", "code.reach"),
            ("__import__('os')", "code.reach"),
            ("require('child_process')", "code.reach"),
            ("new Function('x')()", "code.reach"),
            ("EVAL('x')", "code.reach"),
            ("Runtime.getRuntime()", "code.reach"),
            ("if x: \u{202e} admin", "code.direction"),
            ("a\0", "code.nul"),
        ],
    );
    passes(&kind, &["subprocess.run(['ls'])"]);
    refuses(&kind, &["a\0b"]);
}

#[test]
fn n1_1_an_address_of_a_mailbox_is_one() {
    let kind = Kind::of(Meaning::Email);
    check(
        &kind,
        &[
            ("a@example.org", "-"),
            ("ada.lovelace+news@mail.example.co.uk", "-"),
            ("o'brien@example.org", "-"),
            ("Ada <ada@example.org>", "-"),
            ("\"Lovelace, Ada\" <ada@example.org>", "-"),
            ("grüße@exämple.org", "-"),
            ("a@example.org\nBcc: b@example.org", "email.line_break"),
            ("a@example.org\r\nSubject: x", "email.line_break"),
            ("a@example.org%0aBcc:b@example.org", "email.line_break"),
            ("a@example.org%0D%0Ax", "email.line_break"),
            ("a@example.org\0", "email.line_break"),
            ("a@example.org\u{2028}x", "email.line_break"),
            ("a@example.org,b@example.org", "email.several"),
            ("a@example.org;b@example.org", "email.several"),
            ("a@example.org b@example.org", "email.several"),
            ("a@b@example.org", "email.several"),
            ("b@example.org <a@example.org>", "email.several"),
            ("a@example.org, B <b@example.org>", "email.several"),
            ("-X/tmp/x@example.org", "email.option"),
            ("\"a\" -oQ/tmp -X/x\"@example.org", "email.option"),
            ("a", "email.malformed"),
            ("@example.org", "email.malformed"),
            ("a@", "email.malformed"),
            ("a@localhost", "email.malformed"),
            ("a@-example.org", "email.malformed"),
            ("a b@example.org", "email.malformed"),
            ("\"a b\"@example.org", "email.malformed"),
            ("a..b@example.org", "email.malformed"),
            ("a@[127.0.0.1]", "email.malformed"),
        ],
    );
    passes(&kind, &["me", "a@example.org, b@example.org", "@handle"]);
    refuses(&kind, &["a@example.org\nBcc: x@example.org"]);
}

#[test]
fn n1_1_a_line_of_a_header_is_one_line() {
    let kind = Kind::of(Meaning::Header);
    check(
        &kind,
        &[
            ("Grüße aus Wien: 100% wahr", "-"),
            ("", "-"),
            ("a\r\nX: y", "header.line_break"),
            ("a\nb", "header.line_break"),
            ("a\rb", "header.line_break"),
            ("a\u{85}b", "header.line_break"),
            ("a\u{2028}b", "header.line_break"),
            ("a%0d%0ab", "header.line_break"),
            ("a\0b", "header.control"),
        ],
    );
    passes(&kind, &["a\nb"]);
}

#[test]
fn n1_1_a_declared_identifier_is_of_its_alphabet() {
    check(
        &Kind::of(Meaning::Identifier),
        &[
            ("a", "-"),
            ("user_1.x-y:z", "-"),
            ("A0", "-"),
            ("", "identifier.length"),
            ("a b", "identifier.letters"),
            ("ä", "identifier.letters"),
            ("a/b", "identifier.letters"),
            ("a'", "identifier.letters"),
            ("\u{430}dmin", "identifier.letters"),
            ("-x", "identifier.option"),
            ("..", "identifier.option"),
            (&*"a".repeat(128), "-"),
            (&*"a".repeat(129), "identifier.length"),
        ],
    );
    let kind = Kind::Identifier(Letters {
        also: "/".into(),
        longest: 3,
    });
    check(
        &kind,
        &[
            ("a/b", "-"),
            ("a-b", "identifier.letters"),
            ("a/bc", "identifier.length"),
        ],
    );
}

#[test]
fn n1_1_text_means_nothing_more() {
    let kind = Kind::of(Meaning::Text);
    for text in ["", "../../x\0", "$(id)", "' or 1=1"] {
        assert_eq!(broken(&kind, Basis::Declared, text), [""; 0], "{text}");
    }
}
