//! Clean texts of several kinds, made at random and never repeated: a processor learns by heart what is
//! repeated, and what it has learned costs it less than any text that a gateway gets. The seed is fixed.
//!
//! Hardly anything in them is found by any part, though they have many a word that makes one look.

use crate::dice::Dice;
use std::fmt::Write as _;

/// A kind of text: its name, and what writes the next line or sentence of it.
pub(crate) type Kind = (&'static str, fn(&mut Dice, &mut String));

pub(crate) const KINDS: &[Kind] = &[
    ("prose", |dice, text| sentence(dice, text, ENGLISH)),
    ("german", |dice, text| sentence(dice, text, GERMAN)),
    ("japanese", japanese),
    ("code", code),
    ("json", json),
    ("table", table),
    ("log", log),
];

/// So many bytes of a kind of text, or a few more.
pub(crate) fn text((name, line): &Kind, bytes: usize) -> String {
    let seed = name.bytes().fold(0x9e37_79b9_7f4a_7c15, |seed: u64, byte| {
        seed.rotate_left(8) ^ u64::from(byte)
    });
    let mut dice = Dice(seed);
    let mut text = String::with_capacity(bytes + 256);
    while text.len() < bytes {
        line(&mut dice, &mut text);
    }
    text
}

/// A word of a list: the first ones often, the last ones seldom, as words of a language are.
fn word(dice: &mut Dice, list: &'static str) -> &'static str {
    let count = list.split(' ').count();
    let at = dice.below(count) * dice.below(count) / count;
    list.split(' ').nth(at).unwrap_or_default()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

fn sentence(dice: &mut Dice, text: &mut String, list: &'static str) {
    let length = 4 + dice.below(16);
    for at in 0..length {
        let word = word(dice, list);
        match (at, dice.below(40)) {
            (0, _) => text.push_str(&capital(word)),
            (_, 0) => {
                let _ = write!(text, "{}", dice.below(5000));
            }
            (_, 1) => {
                let _ = write!(text, "“{word}”");
            }
            (_, 2) => {
                let _ = write!(text, "({word})");
            }
            _ => text.push_str(word),
        }
        text.push_str(match dice.below(12) {
            _ if at + 1 == length => "",
            0 => ", ",
            _ => " ",
        });
    }
    text.push_str(match dice.below(10) {
        0 => "?\n\n",
        1 => ".\n\n",
        2 => ": ",
        _ => ". ",
    });
}

fn japanese(dice: &mut Dice, text: &mut String) {
    for _ in 0..3 + dice.below(12) {
        text.push_str(word(dice, JAPANESE));
        if dice.below(8) == 0 {
            text.push('、');
        }
    }
    text.push('。');
}

/// A name as programs have it: two words, one behind the other.
fn name(dice: &mut Dice, between: &str) -> String {
    let plain = |dice: &mut Dice| word(dice, ENGLISH).to_lowercase();
    let (one, other) = (plain(dice), plain(dice));
    format!("{one}{between}{other}")
}

fn code(dice: &mut Dice, text: &mut String) {
    let indent = "    ".repeat(dice.below(4));
    let (one, two, three) = (name(dice, "_"), word(dice, ENGLISH), name(dice, "_"));
    let number = dice.below(300);
    let _ = match dice.below(10) {
        0 => writeln!(
            text,
            "\n{indent}fn {one}({two}: &mut Vec<u8>) -> Option<{}> {{",
            capital(two)
        ),
        1 => writeln!(
            text,
            "{indent}// {} {two} {three}.",
            capital(&one.replace('_', " "))
        ),
        2 => writeln!(text, "{indent}if {one}.{two}() >= {number} && !{three} {{"),
        3 => writeln!(text, "{indent}}}"),
        4 => writeln!(
            text,
            "{indent}return Err(Error::{}({three}));",
            capital(two)
        ),
        5 => writeln!(
            text,
            "{indent}for ({two}, {three}) in {one}.iter().enumerate() {{"
        ),
        6 => writeln!(
            text,
            "{indent}let {two} = {one}[{number}] + {three} * 0x{number:02x};"
        ),
        7 => writeln!(text, "{indent}self.{one}.push(\"{two}: {three}\\n\");"),
        8 => writeln!(text, "{indent}Some({one}) => {three}({two}, {number}),"),
        _ => writeln!(text, "{indent}{one} |= {two} << {};", number % 32),
    };
}

/// A day and an hour, as data has them.
fn moment(dice: &mut Dice) -> String {
    let (day, month) = (1 + dice.below(28), 1 + dice.below(12));
    let (hour, minute, second) = (dice.below(24), dice.below(60), dice.below(60));
    format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn json(dice: &mut Dice, text: &mut String) {
    let (id, price) = (dice.below(99_999), dice.below(2000));
    let (name, tag, other) = (name(dice, " "), word(dice, ENGLISH), word(dice, ENGLISH));
    let (name, tag) = (capital(&name), tag.to_lowercase());
    let is = ["true", "false", "null"];
    let is = dice.one_of(&is).copied().unwrap_or_default();
    let _ = writeln!(
        text,
        "{{\"id\": {id}, \"name\": \"{name}\", \"price\": {price}.{}, \"tags\": [\"{tag}\", \"{other}\"], \
         \"open\": {is}, \"updated\": \"{}\"}},",
        dice.below(100),
        moment(dice),
    );
}

fn table(dice: &mut Dice, text: &mut String) {
    let (first, second, third) = (dice.below(1000), dice.below(100_000), dice.below(100));
    let _ = writeln!(
        text,
        "| {first} | {} | {} | {second}.{third:02} | {} % | {} |",
        name(dice, " "),
        word(dice, GERMAN),
        dice.below(100),
        moment(dice).split('T').next().unwrap_or_default(),
    );
}

fn log(dice: &mut Dice, text: &mut String) {
    let level = ["INFO", "INFO", "INFO", "WARN", "DEBUG", "ERROR"];
    let level = dice.one_of(&level).copied().unwrap_or_default();
    let _ = writeln!(
        text,
        "{} {level} {}: {} {} in {} ms host=10.{}.{}.{} id={:08x}",
        moment(dice),
        name(dice, "::"),
        name(dice, " "),
        word(dice, ENGLISH),
        dice.below(900),
        dice.below(256),
        dice.below(256),
        dice.below(256),
        dice.below(1 << 32),
    );
}

/// What people write, the commonest words first.
const ENGLISH: &str = "the of and to a in is that for it on with as was be by this are or from at which but not an \
    have they we one all were their has would what will there if can more when who so no out said about up into than \
    them some could time two then first any like now other how our well even only new very after way many must \
    because through back years where much before right too means same under last might great old year off come since \
    against go came work used take three each place long going while found still between being here does part \
    during made however home small number meeting patient report order customer detail certain getting training \
    office people system service company question country problem business program study water money power \
    market price result reason research morning evening teacher process paper table letter history building \
    machine network message request answer content section figure weekend holiday garden window kitchen engine \
    station journey mountain river island weather summer winter language picture music theatre subject science \
    nature effect action method surface picking waiting casting setting protein obtain continue routine destiny \
    director actor factor reactor special social medical general political pattern spatial compatible path patch \
    spread sister assist cousin business using housing causing raising promise surprise compare prepare repair \
    separate operate generate accurate calculate negotiate appropriate machinery bearing \
    keyboard monkey turkey hockey secretary access accessible accent accept accident discover discussion \
    recall finally totally locally celebrate cellar cancel parcel excellent swift beginning inning winner \
    dinner planning running opinion union senior junior alien client science ancient efficient experience audience \
    station national international relationship apartment department compartment autumn author authority automatic \
    authentic mobile automobile mobility telescope hotel novel level travel model towel address dress express press \
    release lease please increase decrease disease ideas seas breeze squeeze freeze";

const GERMAN: &str = "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an \
    werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder \
    aber vor zur bis mehr durch man sein wurde sei kann gegen vom können schon wenn habe seine Ihre dann unter wir \
    soll ich eines Jahr zwei Jahren diese dieser wieder keine Uhr seiner worden will zwischen immer alle mußte weil \
    Bericht Quartal Zahlen Abschnitt Besprechung Rückfragen größer erwartet prüfen schreiben Woche Dienstag Montag \
    Straßenbahn Gebäude Fenster Schlüsselbund Rechnung Lieferung Bestellung Kunde Vertrag Anfrage Antwort \
    Maschine Werkzeug Verfahren Ergebnis Forschung Entwicklung Gesellschaft Wirtschaft Regierung Verwaltung Gemeinde \
    Universität Schule Lehrerin Schüler Bücher Zeitung Nachricht Meinung Erfahrung Möglichkeit Schwierigkeit \
    Übersicht Änderung Öffnung öffentlich ändern übernehmen äußern müssen dürfen würde hätte wäre könnte nächste \
    spätestens frühestens täglich jährlich vollständig selbstverständlich gemeinsam einfach einige einmal keinesfalls \
    niemals niedrig Niederlage Knie Linie Familie Batterie Industrie Energie Garantie Genie verdienen dienen bedienen \
    Patient Pate Partner Spaten Platz Plätze Allee Weg wegen Wege bewegen Gasse Gassen Handynetz handhaben Handel \
    Verhandlung Behandlung Telefonat Fax Faxe mobil Geburt Geborgenheit Passage passen Anpassung Ausweisung Kraft \
    Kräfte Kanzlei Kanzler Steuerung Beitrag Antrag Auftrag Vertretung Gerät Geräte Rätsel Städte Städtebau Länder";

const JAPANESE: &str = "第三四半期 の は に を が で と も から まで より です ます した する ない ある いる この その あの 報告書 火曜日 \
    送付 会議 前 章 読んで 質問 持って きて ください 東京 大阪 会社 社員 仕事 時間 今日 明日 昨日 天気 電車 駅 学校 先生 学生 \
    コンピューター データ システム サービス メッセージ ネットワーク プログラム テスト 新しい 古い 大きい 小さい 良い 悪い 速い 遅い \
    水 火 木 金 土 日 月 年 人 国 山 川 海 空 花 鳥 音楽 映画 写真 料理 野菜 果物 旅行 歴史 文化 経済 政治 社会 科学 技術 情報";
