//! Project Wycheproof's vectors: every invalid signature and tag is refused, every valid one holds.

use countersign_core::alg::{Asymmetric, Hash, MacKey, PublicKey, Verdict, ct_eq};
use wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

/// How many vectors of each kind were judged, so that an empty set cannot pass for a good one.
#[derive(Default)]
struct Tally {
    held: usize,
    failed: usize,
}

impl Tally {
    fn judge(&mut self, what: &str, id: usize, expected: TestResult, holds: bool) {
        match expected {
            TestResult::Valid => assert!(holds, "{what} {id}: a valid signature failed"),
            TestResult::Invalid => assert!(!holds, "{what} {id}: an invalid signature held"),
            TestResult::Acceptable => {}
        }
        *if holds { &mut self.held } else { &mut self.failed } += 1;
    }

    fn verify(&mut self, key: &PublicKey, by: Asymmetric, id: usize, expected: TestResult, msg: &[u8], sig: &[u8]) {
        let verdict = key.verify(by, msg, sig);
        assert_ne!(verdict, Verdict::Unsuitable, "{} {id}", by.name());
        self.judge(by.name(), id, expected, verdict == Verdict::Holds);
    }
}

#[test]
fn attack_02_hmac() {
    for (set, hash) in [
        (mac::TestName::HmacSha1, Hash::Sha1),
        (mac::TestName::HmacSha256, Hash::Sha256),
        (mac::TestName::HmacSha384, Hash::Sha384),
        (mac::TestName::HmacSha512, Hash::Sha512),
    ] {
        let mut tally = Tally::default();
        let set = mac::TestSet::load(set).unwrap();
        // A truncated tag is judged at its length: what it shows is that its bytes are the right ones.
        for group in set.test_groups {
            for test in group.tests {
                let tag = MacKey::new(hash, &test.key).mac(&test.msg);
                let head = &tag.as_bytes()[..group.tag_size / 8];
                tally.judge(hash.name(), test.tc_id, test.result, ct_eq(head, &test.tag));
                if group.tag_size / 8 < hash.output_len() {
                    assert!(!ct_eq(tag.as_bytes(), &test.tag), "{} {}: truncated", hash.name(), test.tc_id);
                }
            }
        }
        assert!(tally.held > 50 && tally.failed > 50, "{}: {} and {}", hash.name(), tally.held, tally.failed);
    }
}

#[test]
fn ecdsa() {
    use Asymmetric::{EcdsaP256, EcdsaP384};
    for (set, by) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256, EcdsaP256 { raw: false }),
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, EcdsaP256 { raw: true }),
        (ecdsa::TestName::EcdsaSecp384r1Sha384, EcdsaP384 { raw: false }),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, EcdsaP384 { raw: true }),
    ] {
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(set).unwrap().test_groups {
            let key = PublicKey::from_der(&group.der).unwrap();
            for test in group.tests {
                tally.verify(&key, by, test.tc_id, test.result, &test.msg, &test.sig);
            }
        }
        assert!(tally.held > 50 && tally.failed > 50, "{}: {} and {}", by.name(), tally.held, tally.failed);
    }
}

#[test]
fn ed25519() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = PublicKey::from_pem(&group.pem).unwrap();
        let raw = PublicKey::from_ed25519(&group.key.pk).unwrap();
        for test in group.tests {
            for key in [&key, &raw] {
                tally.verify(key, Asymmetric::Ed25519, test.tc_id, test.result, &test.msg, &test.sig);
            }
        }
    }
    assert!(tally.held > 50 && tally.failed > 50);
}

#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName::{Rsa2048Sha256, Rsa2048Sha384, Rsa2048Sha512, Rsa4096Sha384, Rsa8192Sha512};
    for (set, hash) in [
        (Rsa2048Sha256, Hash::Sha256),
        (Rsa2048Sha384, Hash::Sha384),
        (Rsa2048Sha512, Hash::Sha512),
        (Rsa4096Sha384, Hash::Sha384),
        (Rsa8192Sha512, Hash::Sha512),
    ] {
        let mut tally = Tally::default();
        for group in rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups {
            let spki = PublicKey::from_der(&group.der).unwrap();
            let pkcs1 = PublicKey::from_der(&group.asn_key).unwrap();
            for test in group.tests {
                for key in [&spki, &pkcs1] {
                    tally.verify(key, Asymmetric::RsaPkcs1(hash), test.tc_id, test.result, &test.msg, &test.sig);
                }
            }
        }
        assert!(tally.held > 5 && tally.failed > 100, "{}: {} and {}", hash.name(), tally.held, tally.failed);
    }
}

#[test]
fn rsa_pss() {
    use rsa_pss_verify::TestName::{
        RsaPss2048Sha256Mgf1SaltLen0, RsaPss2048Sha256Mgf1SaltLen32, RsaPss2048Sha384Mgf1SaltLen48,
        RsaPss4096Sha512Mgf1SaltLen64,
    };
    for (set, hash) in [
        (RsaPss2048Sha256Mgf1SaltLen32, Hash::Sha256),
        (RsaPss2048Sha384Mgf1SaltLen48, Hash::Sha384),
        (RsaPss4096Sha512Mgf1SaltLen64, Hash::Sha512),
    ] {
        let mut tally = Tally::default();
        for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
            let key = PublicKey::from_der(&group.der).unwrap();
            for test in group.tests {
                tally.verify(&key, Asymmetric::RsaPss(hash), test.tc_id, test.result, &test.msg, &test.sig);
            }
        }
        assert!(tally.held > 20 && tally.failed > 20, "{}: {} and {}", hash.name(), tally.held, tally.failed);
    }
    // A salt of another length than the digest's makes another algorithm, which has no name here.
    for group in rsa_pss_verify::TestSet::load(RsaPss2048Sha256Mgf1SaltLen0).unwrap().test_groups {
        let key = PublicKey::from_der(&group.der).unwrap();
        for test in group.tests.iter().filter(|test| test.result == TestResult::Valid) {
            assert_eq!(key.verify(Asymmetric::RsaPss(Hash::Sha256), &test.msg, &test.sig), Verdict::Fails);
        }
    }
}
