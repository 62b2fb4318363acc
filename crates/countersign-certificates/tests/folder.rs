//! Folders of certificates: what their keys are called, when they are valid, and what is refused.
//!
//! The numbers of `certificate-issuer-serial` are those that alipay-sdk 4.14.0 for Node.js and python-alipay-sdk 3.4.0
//! make of the same files, the serial numbers those that OpenSSL prints.

use countersign_certificates::{CertificateError, Certificates, FolderError, Naming};
use countersign_core::UnixTime;
use countersign_core::alg::KeyError;
use std::path::Path;

macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("certificates/", $name)))
    };
}

const ALIPAY: (&str, &str) = file!("alipay.pem");
const WECHATPAY: (&str, &str) = file!("wechatpay.pem");

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn ids(files: &[(&str, &str)], naming: Naming) -> Vec<String> {
    Certificates::read(folder(files).path(), naming).expect("keys").ids()
}

fn refused(files: &[(&str, &str)], naming: Naming) -> FolderError {
    Certificates::read(folder(files).path(), naming).expect_err("refused")
}

fn fault(file: (&str, &str), naming: Naming) -> CertificateError {
    match refused(&[file], naming) {
        FolderError::Faulty { path, error } if path.ends_with(file.0) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn certificates_are_called_what_the_scheme_says() {
    let both = [ALIPAY, WECHATPAY];
    assert_eq!(ids(&both, Naming::File), ["alipay", "wechatpay"]);
    assert_eq!(
        ids(&both, Naming::Serial),
        [
            "02023112200000000000000000000001",
            "2023112200000000000000000000001",
            "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB"
        ]
    );
    assert_eq!(
        ids(&both, Naming::IssuerSerial),
        ["1409cbdfcb620fbe520c8253bd6d1aa2", "b588ab4cb1dd9a6615765bcce0d78305"]
    );
}

#[test]
fn a_serial_number_is_one_number_however_it_is_written() {
    assert_eq!(ids(&[file!("leading-zero.pem")], Naming::Serial), ["0A0B0C", "A0B0C"]);
    assert_eq!(ids(&[file!("high-bit.pem")], Naming::Serial), ["F00DF00D"]);
    let found = Certificates::read(folder(&[file!("high-bit.pem")]).path(), Naming::Serial).expect("keys");
    for unknown in ["f00df00d", "00F00DF00D", "F00DF00", "high-bit", ""] {
        assert!(found.find(Some(unknown.as_bytes())).keys().is_empty(), "{unknown}");
    }
    assert!(found.find(None).keys().is_empty());
}

#[test]
fn keys_are_valid_as_long_as_their_certificates_and_serve_one_algorithm() {
    let found = Certificates::read(folder(&[WECHATPAY, file!("curve.pem")]).path(), Naming::File).expect("keys");
    let candidates = found.find(Some(b"wechatpay"));
    let [key] = candidates.keys() else { panic!("one key") };
    let (from, to) = (UnixTime::from_secs(1_704_067_200), UnixTime::from_secs(2_019_686_400));
    assert_eq!((key.id.as_deref(), key.not_before, key.not_after), (Some("wechatpay"), Some(from), Some(to)));
    assert!(key.is_valid_at(from) && key.is_valid_at(to));
    assert!(
        !key.is_valid_at(UnixTime::from_secs(1_704_067_199)) && !key.is_valid_at(UnixTime::from_secs(2_019_686_401))
    );
    assert_eq!(key.algorithm.as_deref(), Some("rsa-sha256"));
    assert_eq!(found.find(Some(b"curve")).keys()[0].algorithm, None);
}

#[test]
fn folders_are_equal_if_their_certificates_and_their_names_are() {
    let read = |files: &[(&str, &str)], naming| Certificates::read(folder(files).path(), naming).expect("keys");
    let found = read(&[WECHATPAY], Naming::Serial);
    assert_eq!(found, read(&[WECHATPAY, ("README", "")], Naming::Serial));
    assert_ne!(found, read(&[WECHATPAY], Naming::File));
    assert_ne!(found, read(&[ALIPAY], Naming::Serial));
    assert_ne!(found, read(&[(WECHATPAY.0, &format!("{}\n", WECHATPAY.1))], Naming::Serial));
}

#[test]
fn of_a_chain_the_first_certificate_counts() {
    let chain = format!("{}{}", WECHATPAY.1, ALIPAY.1);
    assert_eq!(ids(&[("chain.pem", &chain)], Naming::Serial), ["408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB"]);
}

#[test]
fn a_bare_public_key_is_known_by_its_file() {
    let (_, text) = file!("bare.pem");
    for naming in [Naming::File, Naming::IssuerSerial, Naming::Serial] {
        assert_eq!(ids(&[("PUB_KEY_ID_0116.pem", text)], naming), ["PUB_KEY_ID_0116"]);
    }
}

#[test]
fn what_is_no_certificate_is_looked_at_only_if_it_says_it_is_one() {
    let others = [("README.md", "certificates"), (".hidden.pem", "no"), ("key", "no"), ("a.CRT", WECHATPAY.1)];
    assert_eq!(ids(&others, Naming::File), ["a"]);
    for (text, expected) in [
        ("", CertificateError::NothingFound),
        ("certificate", CertificateError::NothingFound),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", CertificateError::Malformed),
        (
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
            CertificateError::NothingFound,
        ),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", CertificateError::Key(KeyError::Malformed)),
    ] {
        assert_eq!(fault(("a.pem", text), Naming::Serial), expected, "{text}");
    }
    assert_eq!(fault(file!("private.pem"), Naming::File), CertificateError::PrivateKey);
    assert_eq!(fault(file!("short-key.pem"), Naming::File), CertificateError::TooShort);
    let trailing = WECHATPAY.1.replacen("-----END", "AAAA\n-----END", 1);
    assert_eq!(fault(("a.pem", &trailing), Naming::File), CertificateError::Malformed);
}

#[test]
fn an_issuer_that_clients_write_differently_has_no_digest() {
    for file in [file!("odd-issuer.pem"), file!("mail-issuer.pem")] {
        assert_eq!(fault(file, Naming::IssuerSerial), CertificateError::IssuerAmbiguous, "{}", file.0);
        assert_eq!(ids(&[file], Naming::Serial).len(), 2);
    }
}

#[test]
fn two_certificates_of_one_id_are_refused_and_so_is_an_empty_folder() {
    let twice = refused(&[("a.pem", WECHATPAY.1), ("b.pem", WECHATPAY.1)], Naming::Serial);
    assert!(matches!(twice, FolderError::SameId { .. }), "{twice}");
    assert!(matches!(refused(&[("a.txt", WECHATPAY.1)], Naming::Serial), FolderError::Empty { .. }));
    let missing = Certificates::read(Path::new("no/such/folder"), Naming::Serial).expect_err("refused");
    assert!(matches!(missing, FolderError::Unreadable { .. }), "{missing}");
    let long = refused(&[("a.pem", &"a".repeat(2 * 1024 * 1024))], Naming::Serial);
    assert!(matches!(long, FolderError::TooLong { .. }), "{long}");
}

#[test]
fn every_resolver_of_the_language_is_known() {
    for name in countersign_core::scheme::RESOLVERS {
        assert!(Naming::from_name(name).is_some(), "{name}");
    }
    assert_eq!(Naming::from_name("certificates"), None);
}
