//! The table: for each control who judges it, what this version does about it, and which tests show
//! that. Controls of which nothing is built say so, with what comes closest.

use super::{Status, View, Way, judges};
use controls::Control;

/// One control.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) control: Control,
    pub(super) judge: Judge,
    pub(super) why: &'static str,
    pub(super) tests: &'static [&'static str],
}

/// Who judges a control.
#[derive(Clone, Copy, Debug)]
pub(super) enum Judge {
    /// Nobody: there is nothing to judge.
    Absent,
    /// Once for the gateway.
    Gateway(fn(&View<'_>) -> Status),
    /// Once for each route.
    Route(fn(&View<'_>, &Way<'_>) -> Status),
}

const fn route(
    control: Control,
    judge: fn(&View<'_>, &Way<'_>) -> Status,
    why: &'static str,
    tests: &'static [&'static str],
) -> Row {
    Row {
        control,
        judge: Judge::Route(judge),
        why,
        tests,
    }
}

const fn gateway(
    control: Control,
    judge: fn(&View<'_>) -> Status,
    why: &'static str,
    tests: &'static [&'static str],
) -> Row {
    Row {
        control,
        judge: Judge::Gateway(judge),
        why,
        tests,
    }
}

const fn absent(control: Control, why: &'static str) -> Row {
    Row {
        control,
        judge: Judge::Absent,
        why,
        tests: &[],
    }
}

/// Every control, in the order of the catalogue.
pub(super) const ROWS: &[Row] = &[
    route(
        controls::M1,
        judges::by_token,
        "signature, issuer, audience, type, times and scopes of the token are verified on every message",
        &[
            "m1_refuses_tokens_for_others_and_of_others",
            "m1_refuses_tokens_whose_header_is_wrong",
            "m1_refuses_tokens_whose_signature_is_wrong",
            "m1_refuses_unsigned_tokens",
            "m1_refuses_a_public_key_used_as_a_shared_secret",
            "m1_es256_verdicts_are_exact",
        ],
    ),
    route(
        controls::M2,
        judges::by_token,
        "every method, GET stream and DELETE carries its own token; a session id opens nothing",
        &[
            "m2_a_session_authenticates_nobody_whatever_the_verb",
            "m2_takes_the_token_from_one_header_only",
        ],
    ),
    route(
        controls::M3,
        judges::m3,
        "people are asked on a page of the gateway's own, for each client, address, scope and resource, before they are sent to the provider",
        &[
            "m3_a_person_reads_what_they_agree_to_and_agrees_with_a_keyboard",
            "m3_a_provider_that_asks_nobody_lets_no_other_client_pass",
            "m3_an_answer_of_the_provider_counts_once_and_in_the_browser_it_is_for",
            "m3_nobody_agrees_for_somebody_else",
            "m3_nobody_is_sent_to_an_address_that_is_not_the_clients_own",
            "m3_nobody_is_sent_to_the_provider_before_they_agreed",
            "m3_the_page_is_shown_in_no_frame_and_answered_by_no_other_page",
            "m3_whatever_differs_is_another_consent",
        ],
    ),
    route(
        controls::M4,
        judges::always,
        "256 random bits of the operating system, kept under the verified user",
        &[
            "m4_session_ids_are_visible_ascii_of_256_bits",
            "m4_session_ids_do_not_repeat_and_look_random",
            "session_ids_are_unpredictable_and_prove_nothing",
        ],
    ),
    route(
        controls::N1_1,
        judges::n1_1,
        "a strict reader refuses what two parsers read differently, hidden text is found in every string and words of \
         two scripts are told, secrets are found on their way to a server, and arguments and URIs of resources are held \
         against what they mean",
        &[
            "n1_1_refuses_messages_that_two_readers_would_read_differently",
            "n1_1_every_text_field_of_a_client_with_sessions_is_looked_at",
            "n1_1_every_text_field_of_a_stateless_client_is_looked_at",
            "n1_1_reads_what_must_be_read_and_refuses_what_must_be_refused",
            "n1_1_an_answer_that_two_readers_would_read_differently_is_withheld",
            "n1_1_what_can_never_be_right_is_refused_without_a_word_of_configuration",
            "n1_1_a_declared_meaning_is_asked_in_full",
            "n1_1_what_is_declared_of_prompts_and_resources_is_asked_in_full",
            "n1_1_what_nobody_sees_is_taken_out_of_prose_and_refused_in_names",
            "n1_1_a_path_outside_its_roots_is_refused",
            "n1_1_every_spelling_of_an_address_is_understood",
            "n1_1_a_secret_in_arguments_is_refused_and_never_arrives",
            "n1_1_no_field_of_a_client_of_an_older_revision_hides_anything",
        ],
    ),
    route(
        controls::N1_2,
        judges::n1_2,
        "arguments and structured content are held against the schemas of the pinned definition",
        &[
            "n1_2_refuses_arguments_off_the_schema",
            "n1_2_an_answer_off_its_own_schema_is_withheld",
            "n1_2_strict_refuses_what_the_schema_does_not_name",
            "n1_2_hostile_schemas_stay_within_their_budget",
        ],
    ),
    route(
        controls::N1_3,
        judges::n1_3,
        "Prompt Shields, Content Safety and others are asked about arguments and answers, and where it is said about questions, notices and definitions, each rule in its mode; their silence means what was declared",
        &[
            "n1_3_what_is_suspected_is_refused_where_it_is_enforced_and_on_its_way",
            "n1_3_a_mode_of_a_rule_says_what_its_suspicion_comes_to",
            "n1_3_nobody_is_told_of_a_call_that_goes_no_further_anyway",
            "n1_3_what_is_suspected_takes_away_and_never_adds",
            "n1_3_what_a_server_asks_or_says_in_passing_is_heard_where_that_is_said",
            "n1_3_what_was_taken_out_before_is_not_in_what_is_sent",
            "n1_3_silence_refuses_unless_the_operator_declared_otherwise",
            "n1_3_an_attack_across_any_border_of_two_windows_is_seen",
        ],
    ),
    route(
        controls::N1_4,
        judges::n1_4,
        "control characters, terminal escapes, hidden Unicode and secrets are found in every string of an answer; active markup and addresses that carry data out in its texts",
        &[
            "n1_4_active_markup_reaches_nobody_in_any_era",
            "n1_4_the_type_of_a_file_is_that_of_its_text_and_of_nothing_else",
            "n1_4_nothing_runs_and_nothing_is_asked_for_in_a_real_browser",
            "n9_3_a_secret_in_an_answer_is_redacted",
            "n1_4_hidden_text_is_taken_out_of_results",
            "n1_4_hidden_text_can_be_refused_instead",
            "n1_4_benign_text_of_many_languages_passes_unchanged",
            "n1_4_every_dangerous_character_in_every_text_of_a_server_is_found_and_gone",
            "n1_4_every_text_field_of_a_server_with_sessions_is_looked_at",
            "n1_4_every_text_field_of_a_stateless_server_is_looked_at",
            "n1_4_text_that_means_no_harm_passes_byte_for_byte_both_ways",
            "n1_4_no_field_of_a_server_of_an_older_revision_hides_anything",
        ],
    ),
    route(
        controls::N2_1,
        judges::n2_1,
        "several issuers at once, by discovery or fixed keys, with rotation; no password of its own",
        &[
            "n2_1_accepts_the_token_of_a_certified_provider",
            "n2_1_follows_a_rotation_of_its_keys",
        ],
    ),
    route(
        controls::N2_2,
        judges::n2_2,
        "Cedar decides on caller, tool, arguments and labels, and on what administrators of each role may do; without a permit the answer is no, in lists as in calls",
        &[
            "n2_2_every_endpoint_is_open_to_the_roles_that_have_it_and_to_nobody_else",
            "n2_2_without_policies_everything_is_denied",
            "n2_2_an_error_in_any_policy_is_a_deny",
            "policy_sees_tool_arguments",
            "decides_list_and_call_separately",
        ],
    ),
    route(
        controls::N2_3,
        judges::n2_3,
        "a ceiling on the life of tokens and a bound on clock skew, for each issuer; tokens for servers are renewed in time, once for all who wait; refresh tokens of the gateway's own are good once",
        &[
            "n2_3_a_refresh_token_used_twice_ends_everything_that_came_of_it",
            "n2_3_a_hundred_calls_renew_a_token_once_and_a_lost_one_is_asked_for_anew",
            "n2_3_refuses_tokens_out_of_their_time",
            "n2_3_refuses_tokens_that_are_not_good_now",
        ],
    ),
    route(
        controls::N2_4,
        judges::n2_4,
        "a policy can forbid a tool until the caller has shown more (a way to authenticate, how long ago, scopes), or until others have approved exactly that call",
        &[
            "offers_a_lift_only_if_it_would_help",
            "n2_4_an_administrator_is_authenticated_strongly_and_lately",
            "n2_4_a_passkey_is_registered_once_and_signs_in_when_no_provider_can",
            "n2_4_a_challenge_is_followed_and_the_call_is_allowed_until_it_is_too_long_ago",
            "n2_4_whoever_comes_back_with_no_more_is_told_so_and_not_asked_again",
            "n2_4_scopes_are_asked_for_all_at_once_with_those_the_token_has",
            "n2_4_a_call_waits_for_an_approval_that_is_good_for_it_once",
            "refuses_an_approval_reused_for_other_arguments",
            "n2_4_whoever_calls_never_approves_and_nobody_counts_twice",
        ],
    ),
    route(
        controls::N3_1,
        judges::n3_1,
        "TLS 1.3 alone on both sides, certificates always verified; plaintext on loopback only",
        &[
            "n3_1_reports_what_is_wrong_with_listeners",
            "n3_1_speaks_tls_1_3_over_http_1_and_2",
            "n3_1_refuses_tls_1_2",
            "n3_1_a_certificate_that_cannot_be_used_stops_the_start",
            "n3_1_verifies_the_certificate_of_a_private_destination_too",
            "n3_1_takes_plaintext_only_to_a_private_destination",
        ],
    ),
    gateway(
        controls::N3_2,
        judges::n3_2,
        "what users and authorization servers gave is sealed before it is stored, for its purpose and place only",
        &[
            "no_store_ever_sees_a_secret",
            "a_row_that_was_moved_or_changed_does_not_open_and_is_not_taken_for_absent",
        ],
    ),
    absent(
        controls::N3_3,
        "certificates are files that somebody else renews; a new one needs a restart",
    ),
    route(
        controls::N3_4,
        judges::n3_4,
        "both eras on both faces, bridged; a floor for each route, negotiated down to it and never below; headers have to agree with the message and the session",
        &[
            "n3_4_a_legacy_client_meets_a_legacy_server",
            "n3_4_a_modern_client_meets_a_modern_server",
            "n3_4_a_modern_client_meets_a_legacy_server",
            "n3_4_a_legacy_client_meets_a_modern_server",
            "n3_4_negotiates_down_to_the_floor_and_never_into_another_era",
            "initialize_never_answers_a_modern_version",
        ],
    ),
    route(
        controls::N4_1,
        judges::n4_1,
        "buckets for address, user, session, tool and resource, with a hint when to come back",
        &[
            "n4_1_limits_what_one_user_may_do_and_says_when_to_come_back",
            "n4_1_counts_exactly_under_concurrency",
            "limits_resources_and_prompts_too",
        ],
    ),
    absent(controls::N4_2, "limits are fixed numbers"),
    route(
        controls::N4_3,
        judges::n4_3,
        "a deadline for each call, seats for each tool, and bytes for each message",
        &[
            "n4_3_an_answer_that_is_too_large_or_too_late_is_given_up",
            "n4_3_a_server_that_dies_fails_its_call_and_nothing_else",
            "n4_3_never_lets_more_inside_under_concurrency",
        ],
    ),
    route(
        controls::N4_4,
        judges::n4_4,
        "connections, headers, bodies, streams and handshakes are bounded in number, size and time",
        &[
            "refuses_text_over_each_limit",
            "memory_stays_bounded_when_nobody_reads",
            "a_reader_that_stalls_is_let_go",
            "n4_4_refuses_a_header_that_is_too_large",
            "n4_4_refuses_a_body_that_is_too_large",
            "n4_4_gives_up_on_a_slow_body",
            "n4_4_gives_up_on_a_slow_header",
            "n4_4_closes_connections_over_the_limit",
        ],
    ),
    route(
        controls::N5_1,
        judges::n5_1,
        "one record for every message, decision and change, in a signed chain that can be searched",
        &[
            "n5_1_every_call_is_in_a_ledger_that_verifies_even_after_a_crash",
            "n5_1_a_killed_process_loses_no_acknowledged_record",
            "n5_1_every_flipped_byte_is_found",
            "n5_1_finds_records_by_word_and_by_field",
        ],
    ),
    absent(
        controls::N5_2,
        "nothing is streamed or detected; `ringwall audit export` writes OCSF when it is run",
    ),
    route(
        controls::N5_3,
        judges::n5_3,
        "records hold digests and sizes; arguments and results themselves only where a route asks for them",
        &["n5_1_every_call_is_in_a_ledger_that_verifies_even_after_a_crash"],
    ),
    gateway(
        controls::N5_4,
        judges::n5_4,
        "issuers push security events, and what they are about ends",
        &["n8_3_an_event_of_the_issuer_ends_what_the_user_has_open"],
    ),
    absent(
        controls::N6_1,
        "master keys are files; no hardware or cloud key is spoken to",
    ),
    gateway(
        controls::N6_2,
        judges::n6_2,
        "keys by purpose: the ledger's, that of handles, and one that wraps the keys of what is kept; only the gateway's account can read them",
        &[
            "refuses_a_key_that_others_can_read",
            "refuses_a_key_that_others_can_reach",
            "a_value_opens_only_for_its_purpose_and_context",
        ],
    ),
    gateway(
        controls::N6_3,
        judges::n6_3,
        "secrets are references, never values; they are wiped and never printed",
        &[
            "n6_3_takes_references_only",
            "n6_3_refuses_to_start_with_an_unresolved_secret",
            "n6_3_refuses_a_secret_file_that_others_can_read",
            "n6_3_debug_shows_the_name_only",
        ],
    ),
    absent(
        controls::N6_4,
        "labels of servers and tools reach policies (2.2); no class sets logging, caching or flow",
    ),
    route(
        controls::N7_1,
        judges::always,
        "the caller's token ends at the gateway; a server is shown the gateway's own credential, a token that was issued for it, or none",
        &[
            "n7_1_a_server_is_shown_the_gateways_own_token_and_never_the_callers",
            "n7_1_a_callers_token_is_exchanged_at_its_own_issuer_and_goes_nowhere_else",
            "n7_1_nothing_of_the_caller_reaches_the_server_but_the_message",
            "n7_1_sends_its_own_credential_and_nothing_of_the_caller",
        ],
    ),
    route(
        controls::N7_2,
        judges::by_token,
        "each route is one canonical resource, and its tokens open no other",
        &[
            "n7_2_names_one_resource_and_no_other",
            "n7_2_refuses_its_token_for_another_resource",
        ],
    ),
    route(
        controls::N7_3,
        judges::n7_3,
        "user, client, groups, scopes and attributes come from claims named in the configuration, typed; unknown groups are not none",
        &[
            "n7_3_its_groups_decide_what_may_be_called",
            "n7_3_group_overage_means_unknown_not_none",
            "n7_3_declared_claims_reach_policies_by_their_names_and_kinds",
        ],
    ),
    route(
        controls::N7_4,
        judges::n7_4,
        "a token that is bound to a key or a certificate is accepted from whoever shows to hold it, once per proof; so are its sessions and handles",
        &[
            "n7_4_a_stolen_token_is_worth_nothing_without_its_key",
            "n7_4_a_proof_is_good_once",
            "n7_4_a_token_is_good_with_the_certificate_it_is_bound_to",
            "n7_4_a_session_is_good_with_the_key_that_opened_it",
        ],
    ),
    route(
        controls::N8_1,
        judges::always,
        "see M4",
        &[
            "m4_session_ids_are_visible_ascii_of_256_bits",
            "m4_session_ids_do_not_repeat_and_look_random",
            "m4_ids_of_sessions_show_no_pattern_and_never_come_again",
            "m4_nobody_chooses_the_id_of_a_session",
        ],
    ),
    route(
        controls::N8_2,
        judges::always,
        "sessions are found among the verified user's own, and are good for one client and one route",
        &[
            "n8_2_nobody_else_can_use_a_session",
            "refuses_a_session_opened_on_another_route",
        ],
    ),
    route(
        controls::N8_3,
        judges::n8_3,
        "sessions end when idle, after a fixed time, when the client says so, when a token may do more than the one before, and with whatever is revoked; so do streams and calls that wait",
        &[
            "answers_404_for_a_terminated_session",
            "n8_3_a_session_ends_when_it_is_idle_and_only_then",
            "n8_3_a_session_ends_at_its_age_however_busy_it_is",
            "n8_3_a_session_is_not_carried_over_to_a_token_that_may_do_more",
            "n8_3_what_is_open_ends_when_its_user_client_session_or_token_is_revoked",
            "n8_3_a_logout_at_the_issuer_ends_that_login_and_no_other",
            "n8_3_a_store_of_revocations_that_breaks_admits_nobody_until_it_is_whole",
        ],
    ),
    route(
        controls::N8_4,
        judges::n8_4,
        "no-store and nosniff on every answer, HSTS where it is encrypted; CSP with nonces, frame and referrer policy on every page, and cookies for this host alone",
        &[
            "n8_4_every_answer_says_no_store_and_nosniff",
            "n8_4_every_page_says_what_a_browser_must_not_do",
            "n8_4_nothing_is_changed_but_from_a_page_of_ours",
        ],
    ),
    route(
        controls::N9_1,
        judges::n9_1,
        "text, errors and instructions of servers are marked for the model that reads them, with a marker that no text can know; hidden text is 1.1 and 1.4",
        &[
            "n9_1_what_an_error_of_a_server_says_is_marked",
            "n9_1_text_of_every_kind_is_marked_and_structured_content_is_not",
            "n9_1_no_text_closes_its_own_marks",
            "n9_1_what_a_server_asks_a_model_in_an_answer_is_marked_once",
            "n9_1_a_text_that_cannot_be_marked_goes_nowhere",
            "n9_1_the_instruction_is_a_prompt_of_the_gateway_where_text_is_marked",
        ],
    ),
    route(
        controls::N9_2,
        judges::n9_2,
        "a tool is its pinned definition; one that is new, has changed, speaks to the model or passes for another server's is neither listed nor callable; prompts, resources, templates and instructions likewise",
        &[
            "n9_2_a_poisoned_definition_is_never_listed_and_never_callable",
            "n9_2_no_tool_that_speaks_to_a_model_is_handed_to_it_by_a_question",
            "n9_2_a_rug_pull_in_mid_session_reaches_nobody",
            "n9_2_a_rug_pull_that_one_user_is_shown_is_told_when_it_is_seen_and_never_to_be_had",
            "n9_2_a_server_that_looks_like_a_well_known_one_is_told_when_it_is_configured",
            "n9_2_what_passes_for_another_servers_tool_is_not_offered",
            "n9_2_instructions_that_change_or_speak_of_secrets_are_not_told",
            "n9_2_rolled_back_a_tool_is_held_against_what_was_approved_before",
            "n9_2_a_changed_definition_is_neither_listed_nor_callable_until_approved",
            "n9_2_with_approval_nothing_is_offered_before_somebody_looked",
        ],
    ),
    route(
        controls::N9_3,
        judges::n9_3,
        "an answer fits its schema, hides no text, carries no secret, and its images carry nothing out",
        &[
            "n9_3_a_secret_in_an_answer_is_redacted",
            "n9_3_an_answer_can_be_withheld_for_what_is_in_it",
            "n9_3_a_value_in_two_messages_of_a_stream_is_found",
            "n9_3_where_nothing_is_said_images_carry_nothing_out_and_files_pass",
            "n9_3_no_icon_and_no_link_of_an_answer_carries_anything_out",
            "n9_3_images_of_hosts_that_are_not_listed_are_taken_out_where_it_says_so",
            "n1_4_hidden_text_is_taken_out_of_results",
            "a_blocked_result_never_reaches_the_client",
            "n9_3_harm_and_words_of_a_blocklist_do_not_reach_the_model",
            "n9_3_what_harms_is_withheld_by_its_category_from_the_severity_that_is_set",
        ],
    ),
    route(
        controls::N9_4,
        judges::n9_4,
        "answers and their texts are bounded in size, floods are found, instructions of servers are framed where their text is marked, and policies see what was found in a message",
        &[
            "n9_4_what_servers_say_of_themselves_is_framed_and_the_lesson_comes_first",
            "n4_3_an_answer_that_is_too_large_or_too_late_is_given_up",
            "n9_4_texts_are_cut_one_by_one_and_all_together",
            "n9_4_what_repeats_itself_in_a_row_is_cut_after_the_third_time",
        ],
    ),
    route(
        controls::N10_1,
        judges::n10_1,
        "nothing confines a process yet; a server that runs elsewhere is its operator's",
        &[],
    ),
    route(
        controls::N10_2,
        judges::n10_2,
        "a process of its own for each user, with declared variables only; a credential of its own for each server",
        &[
            "n10_2_a_stdio_server_gets_the_declared_environment_and_no_other",
            "n7_2_users_never_share_a_process_and_like_sessions_of_one_user_do",
        ],
    ),
    route(
        controls::N10_3,
        judges::n10_3,
        "the gateway itself connects to configured destinations only, and to no private address unless told so",
        &[
            "n10_3_refuses_a_name_with_one_forbidden_address",
            "n10_3_resolves_once_so_a_name_cannot_change_its_mind",
        ],
    ),
    absent(
        controls::N10_4,
        "what a server does on its machine is not watched",
    ),
    gateway(
        controls::N11_1,
        judges::n11_1,
        "`ringwall scan` examines what servers say of themselves and writes SARIF; nothing attacks yet",
        &[
            "n11_1_the_result_of_a_scan_is_sarif_by_the_published_schema",
            "n11_1_a_poisoned_change_fails_the_scan_of_a_configuration_and_of_a_file",
        ],
    ),
    absent(controls::N11_2, "no bill of materials of what is served"),
    absent(controls::N11_3, "no built-in adversary"),
    absent(
        controls::N11_4,
        "configuration, policies and pins need no second person",
    ),
    absent(
        controls::N12_1,
        "a server's program is not checked before it starts",
    ),
    absent(controls::N12_2, "no inventory"),
    absent(controls::N12_3, "no list of trusted sources"),
    absent(
        controls::N12_4,
        "changed definitions are 9.2; nothing else is watched",
    ),
    route(
        controls::Z1,
        judges::z1,
        "callers on every message, servers by certificate on every connection",
        &[
            "m2_a_session_authenticates_nobody_whatever_the_verb",
            "n3_1_verifies_the_certificate_of_a_private_destination_too",
        ],
    ),
    route(
        controls::Z2,
        judges::z2,
        "each route has a resource, sessions and a server of its own; what a caller may not see does not exist",
        &[
            "refuses_a_session_opened_on_another_route",
            "never_mixes_tenants_in_shared_state",
        ],
    ),
    route(
        controls::Z3,
        judges::z3,
        "policies see address, time, age of the session and findings",
        &["sees_what_a_condition_depends_on"],
    ),
    absent(controls::Z4, "nothing measures risk"),
    route(
        controls::P1,
        judges::p1,
        "fields of arguments and results that the operator does not let go on are taken out, or become tokens, by purpose",
        &[
            "p1_fields_that_are_not_needed_reach_neither_side",
            "p1_what_goes_on_depends_on_what_the_call_is_for",
            "p1_a_token_of_a_field_comes_back_as_the_value_to_whoever_may_have_it",
            "p1_no_field_leaks_in_the_text_beside_it",
        ],
    ),
    absent(controls::P2, "no statistics are released"),
    absent(controls::P3, "nothing is computed on ciphertexts"),
    absent(controls::P4, "nothing learns"),
    absent(controls::IR1, "no playbook"),
    absent(
        controls::IR2,
        "an operator revokes a pin or changes the configuration by hand",
    ),
    absent(
        controls::IR3,
        "`ringwall audit export` and `verify` exist; no signed bundle of evidence",
    ),
    absent(controls::IR4, "no known-good state is kept"),
    absent(
        controls::C1,
        "this report is by control; none is by framework",
    ),
    gateway(
        controls::C2,
        judges::c2,
        "the revisions of the standard are one table",
        &[
            "every_revision_is_found_by_its_date",
            "initialize_never_answers_a_modern_version",
        ],
    ),
    absent(controls::C3, "no feed is read"),
    absent(controls::C4, "two reports have to be compared by hand"),
    absent(controls::C5, "nothing is exported"),
];
