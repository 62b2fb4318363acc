//! The rules, one file each, and the table of them.

mod absent_field_accepted;
mod algorithm_from_request;
mod algorithms_mixed;
mod base_undecided;
mod bases_several;
mod body_digest_weak;
mod body_not_covered;
mod body_optional;
mod body_partly_covered;
mod canonicalisation_lossy;
mod coverage_chosen_by_sender;
mod digest_unbound;
mod duplicates_merged;
mod empty_dropped;
mod error_status_success;
mod hash_broken;
mod host_not_covered;
mod key_concatenated;
mod key_source_from_request;
mod key_unscoped;
mod keyed_plain_digest;
mod method_not_covered;
mod nonce_missing;
mod nonce_not_checked;
mod nonce_not_covered;
mod nonce_shared;
mod pairs_undelimited;
mod pairs_unescaped;
mod path_normalised;
mod path_not_covered;
mod query_not_covered;
mod query_partly_covered;
mod replay_allowed;
mod replay_by_method;
mod secret_in_message;
mod separator_in_value;
mod signature_truncated;
mod synthetic_name_shared;
mod tag_not_checked;
mod time_coarse;
mod time_missing;
mod time_not_checked;
mod time_not_covered;
mod value_partly_covered;
mod values_adjacent;
mod window_one_sided;
mod window_wide;

use super::collision::Collision;
use super::subject::Subject;
use super::{Find, Rule, Severity};
use Severity::{Error, Note, Warning};
pub use signature_truncated::{can_be_guessed, signature_bits};

/// The rule of what is neither proven nor refuted.
pub(super) static UNDECIDED: &Rule = &base_undecided::RULE;

/// Every rule, by code.
pub(super) static ALL: &[&Rule] = &[
    &absent_field_accepted::RULE,
    &algorithm_from_request::RULE,
    &algorithms_mixed::RULE,
    &base_undecided::RULE,
    &bases_several::RULE,
    &body_digest_weak::RULE,
    &body_not_covered::RULE,
    &body_optional::RULE,
    &body_partly_covered::RULE,
    &canonicalisation_lossy::RULE,
    &coverage_chosen_by_sender::RULE,
    &digest_unbound::RULE,
    &duplicates_merged::RULE,
    &empty_dropped::RULE,
    &error_status_success::RULE,
    &hash_broken::RULE,
    &host_not_covered::RULE,
    &key_concatenated::RULE,
    &key_source_from_request::RULE,
    &key_unscoped::RULE,
    &keyed_plain_digest::RULE,
    &method_not_covered::RULE,
    &nonce_missing::RULE,
    &nonce_not_checked::RULE,
    &nonce_not_covered::RULE,
    &nonce_shared::RULE,
    &pairs_undelimited::RULE,
    &pairs_unescaped::RULE,
    &path_normalised::RULE,
    &path_not_covered::RULE,
    &query_not_covered::RULE,
    &query_partly_covered::RULE,
    &replay_allowed::RULE,
    &replay_by_method::RULE,
    &secret_in_message::RULE,
    &separator_in_value::RULE,
    &signature_truncated::RULE,
    &synthetic_name_shared::RULE,
    &tag_not_checked::RULE,
    &time_coarse::RULE,
    &time_missing::RULE,
    &time_not_checked::RULE,
    &time_not_covered::RULE,
    &value_partly_covered::RULE,
    &values_adjacent::RULE,
    &window_one_sided::RULE,
    &window_wide::RULE,
];

/// How grave a pair is, and what keeps its requests apart all the same.
fn of_pair(pair: &Collision) -> (Severity, &'static str) {
    let [one, other] = &pair.key_ids;
    if one == other { (Error, "") } else { (Warning, ", and only the keys' secrets keep them apart") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_have_the_form_of_codes() {
        assert!(ALL.is_sorted_by(|one, other| one.code < other.code));
        for Rule { code, .. } in ALL {
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{code}");
            assert!(code.contains('-') && !code.starts_with('-') && !code.ends_with('-'), "{code}");
        }
    }

    #[test]
    fn everything_is_said_about_each() {
        for Rule { code, summary, what, why, example, fix, reference, .. } in ALL {
            for text in [summary, what, why, example, fix, reference] {
                assert!(text.len() > 10 && text.trim() == *text, "{code}: {text}");
                assert!(!text.contains("  ") || text == example, "{code}: {text}");
            }
            for sentence in [what, why, fix] {
                assert!(sentence.ends_with('.') || sentence.ends_with('`'), "{code}: {sentence}");
            }
        }
    }
}
