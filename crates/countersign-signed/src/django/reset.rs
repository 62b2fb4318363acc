//! Django's password-reset tokens, `PasswordResetTokenGenerator`: made of what changes when the password does, so that
//! a token is good until it was used.
//!
//! The token carries nothing but its time: whoever checks it knows the account already.

use countersign_core::UnixTime;
use countersign_core::alg::ct_eq;

use super::salted;
use crate::digest::{Digest, Keyed};
use crate::{Judging, Keys, Opened, Refused, number};

/// What a token is made of, as Django's user model has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account<'a> {
    /// The primary key, as text.
    pub pk: &'a str,
    /// The password's hash, as the database has it.
    pub password: &'a str,
    /// `last_login` without microseconds and time zone, as Python prints it (`2024-05-01 12:34:56`); `None`: never.
    pub last_login: Option<&'a str>,
    /// The address; empty where there is none, and for Django before 3.1.
    pub email: &'a str,
}

/// Makes and checks tokens.
#[derive(Debug, Clone)]
pub struct ResetTokens {
    keys: Vec<Keyed>,
    utc_offset: i64,
}

impl ResetTokens {
    /// With a digest (SHA-256; SHA-1 before Django 3.1) and the seconds by which the application's clock is ahead of
    /// UTC: Django counts from the beginning of 2001 in its own time zone.
    #[must_use]
    pub fn new(keys: &Keys, digest: Digest, utc_offset: i32) -> Self {
        let keys = keys.each(|key| salted(digest, &[SALT], key));
        Self { keys, utc_offset: i64::from(utc_offset) }
    }

    /// `make_token`
    ///
    /// `None` before the year 2001.
    #[must_use]
    pub fn make(&self, account: &Account<'_>, now: UnixTime) -> Option<String> {
        Some(token(self.keys.first()?, account, self.count(now)?))
    }

    /// `check_token`. The default of Django's `PASSWORD_RESET_TIMEOUT` is three days.
    pub fn check(&self, account: &Account<'_>, token_text: &str, judging: &Judging) -> Result<Opened<()>, Refused> {
        let (time, _) = token_text.split_once('-').ok_or(Refused::Malformed)?;
        let count = number::unb36(time).ok_or(Refused::Malformed)?;
        let is = |key| ct_eq(token(key, account, count).as_bytes(), token_text.as_bytes());
        let which = self.keys.iter().position(is).ok_or(Refused::SignatureMismatch)?;
        let seconds = i64::try_from(count).map_err(|_| Refused::Malformed)?;
        let signed_at = UnixTime::from_secs(seconds.saturating_add(EPOCH).saturating_sub(self.utc_offset));
        // Django counts in whole seconds here.
        let judging = Judging { now: UnixTime::from_secs(judging.now.secs()), ..*judging };
        if judging.is_over(signed_at) {
            return Err(Refused::Expired);
        }
        Ok(Opened::new((), Some(signed_at), which))
    }

    fn count(&self, now: UnixTime) -> Option<u64> {
        u64::try_from(now.secs().saturating_add(self.utc_offset).saturating_sub(EPOCH)).ok()
    }
}

fn token(key: &Keyed, account: &Account<'_>, count: u64) -> String {
    let Account { pk, password, last_login, email } = *account;
    let decimal = count.to_string();
    let pieces = [pk, password, last_login.unwrap_or_default(), &decimal, email];
    let tag = key.tag(&pieces.map(str::as_bytes));
    let mut out = String::new();
    number::b36(count, &mut out);
    out.push('-');
    // Every other hexadecimal digit: the upper half of each byte.
    out.extend(tag.as_bytes().iter().filter_map(|byte| char::from_digit(u32::from(byte >> 4), 16)));
    out
}

const SALT: &[u8] = b"django.contrib.auth.tokens.PasswordResetTokenGenerator";
/// 2001-01-01T00:00:00Z.
const EPOCH: i64 = 978_307_200;

#[cfg(test)]
mod tests {
    use super::*;

    const ANNE: Account<'_> =
        Account { pk: "7", password: "pbkdf2_sha256$1$salt$hash", last_login: None, email: "anne@example.com" };

    fn tokens(keys: &[&str], digest: Digest) -> ResetTokens {
        ResetTokens::new(&Keys::newest_first(keys).unwrap(), digest, 0)
    }

    /// By Django 5.2.19's `PasswordResetTokenGenerator._make_token_with_timestamp`.
    #[test]
    fn tokens_are_djangos() {
        let now = UnixTime::from_secs(EPOCH + 736_259_696);
        let seen = Account { last_login: Some("2024-05-01 12:34:56"), ..ANNE };
        assert_eq!(
            tokens(&["secret"], Digest::Sha256).make(&ANNE, now).unwrap(),
            "c6clm8-17a1930cfc6172e37bc5657a244c57b3"
        );
        assert_eq!(
            tokens(&["secret"], Digest::Sha256).make(&seen, now).unwrap(),
            "c6clm8-1a722afa5641d182febb3abc29bb9380"
        );
        assert_eq!(tokens(&["secret"], Digest::Sha1).make(&seen, now).unwrap(), "c6clm8-b2b07116f2341a4382ef");
    }

    #[test]
    fn a_token_is_no_longer_good_once_the_password_or_the_login_changed() {
        let tokens = tokens(&["secret"], Digest::Sha256);
        let now = UnixTime::from_secs(1_714_566_896);
        let token = tokens.make(&ANNE, now).unwrap();
        let judging = Judging::at(now).max_age(259_200);
        assert_eq!(tokens.check(&ANNE, &token, &judging).unwrap().signed_at(), Some(now));
        for account in [
            Account { password: "other", ..ANNE },
            Account { last_login: Some("2024-05-01 12:34:56"), ..ANNE },
            Account { pk: "8", ..ANNE },
            Account { email: "eve@example.com", ..ANNE },
        ] {
            assert_eq!(tokens.check(&account, &token, &judging), Err(Refused::SignatureMismatch), "{account:?}");
        }
        let late = Judging { now: UnixTime::from_secs(1_714_566_896 + 259_201), ..judging };
        assert_eq!(tokens.check(&ANNE, &token, &late), Err(Refused::Expired));
    }

    #[test]
    fn a_token_has_one_spelling() {
        let tokens = tokens(&["secret"], Digest::Sha256);
        let now = UnixTime::from_secs(1_714_566_896);
        let token = tokens.make(&ANNE, now).unwrap();
        for at in 0..token.len() {
            for byte in [b'0', b'1', b'a', b'A', b'-', b'z', b'+', b'_'] {
                let mut changed = token.clone().into_bytes();
                changed[at] = byte;
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(tokens.check(&ANNE, &changed, &Judging::at(now)).is_ok(), changed == token, "{changed}");
            }
        }
        for odd in [format!("{token}-"), format!("0{token}"), token.to_uppercase(), String::new(), "-".to_owned()] {
            assert!(tokens.check(&ANNE, &odd, &Judging::at(now)).is_err(), "{odd}");
        }
    }

    #[test]
    fn the_time_zone_moves_the_time_alone() {
        let now = UnixTime::from_secs(1_714_566_896);
        let east = ResetTokens::new(&Keys::one("secret").unwrap(), Digest::Sha256, 7200);
        let token = east.make(&ANNE, now).unwrap();
        assert_eq!(east.check(&ANNE, &token, &Judging::at(now)).unwrap().signed_at(), Some(now));
        assert_ne!(Some(token), tokens(&["secret"], Digest::Sha256).make(&ANNE, now));
        assert_eq!(east.make(&ANNE, UnixTime::from_secs(0)), None);
    }

    #[test]
    fn a_token_of_an_old_key_is_to_be_made_anew() {
        let now = UnixTime::from_secs(1_714_566_896);
        let token = tokens(&["old"], Digest::Sha256).make(&ANNE, now).unwrap();
        let opened = tokens(&["new", "old"], Digest::Sha256).check(&ANNE, &token, &Judging::at(now)).unwrap();
        assert!(opened.needs_resign());
    }
}
