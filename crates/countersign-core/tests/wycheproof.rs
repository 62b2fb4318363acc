//! Project Wycheproof's vectors for every algorithm here: every invalid signature and tag is refused, every valid one
//! holds. What Wycheproof leaves open ("acceptable") is one thing only among them, a PKCS#1 v1.5 signature whose
//! `DigestInfo` lacks the NULL (RFC 8017, section 9.2, writes it), and is refused: one signature has one spelling.

use countersign_core::alg::{Asymmetric, Hash, MacKey, PublicKey, Verdict, ct_eq};
use wycheproof::{HashFunction, TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

/// How many vectors of each kind were judged, so that an empty set cannot pass for a good one.
#[derive(Default)]
struct Tally {
    held: usize,
    failed: usize,
}

impl Tally {
    fn cases(&self) -> usize {
        self.held + self.failed
    }

    fn judge(&mut self, what: &str, id: usize, expected: TestResult, holds: bool) {
        match expected {
            TestResult::Valid => assert!(holds, "{what} {id}: a valid signature failed"),
            TestResult::Invalid | TestResult::Acceptable => assert!(!holds, "{what} {id}: an invalid signature held"),
        }
        *if holds { &mut self.held } else { &mut self.failed } += 1;
    }

    fn verify(&mut self, key: &PublicKey, by: Asymmetric, id: usize, expected: TestResult, msg: &[u8], sig: &[u8]) {
        let verdict = key.verify(by, msg, sig);
        assert_ne!(verdict, Verdict::Unsuitable, "{} {id}", by.name());
        self.judge(by.name(), id, expected, verdict == Verdict::Holds);
    }
}

/// Tells how many cases there were, and that none of them was lost.
#[track_caller]
fn told(what: &str, cases: usize, expected: usize) {
    eprintln!("{what}: {cases} cases");
    assert_eq!(cases, expected, "{what}");
}

#[test]
fn attack_02_hmac() {
    let mut cases = 0;
    for (set, hash) in [
        (mac::TestName::HmacSha1, Hash::Sha1),
        (mac::TestName::HmacSha256, Hash::Sha256),
        (mac::TestName::HmacSha384, Hash::Sha384),
        (mac::TestName::HmacSha512, Hash::Sha512),
        (mac::TestName::HmacSm3, Hash::Sm3),
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
        cases += tally.cases();
    }
    told("HMAC", cases, 866);
}

#[test]
fn ecdsa() {
    use Asymmetric::{EcdsaP256, EcdsaP384};
    let mut cases = 0;
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
        cases += tally.cases();
    }
    told("ECDSA", cases, 1530);
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
    // Each once with the key from PEM and once from its bytes.
    told("Ed25519", tally.cases() / 2, 151);
}

#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName;
    let mut cases = 0;
    for (set, hash) in [
        (TestName::Rsa2048Sha256, Hash::Sha256),
        (TestName::Rsa2048Sha384, Hash::Sha384),
        (TestName::Rsa2048Sha512, Hash::Sha512),
        (TestName::Rsa3072Sha256, Hash::Sha256),
        (TestName::Rsa3072Sha384, Hash::Sha384),
        (TestName::Rsa3072Sha512, Hash::Sha512),
        (TestName::Rsa4096Sha256, Hash::Sha256),
        (TestName::Rsa4096Sha384, Hash::Sha384),
        (TestName::Rsa4096Sha512, Hash::Sha512),
        (TestName::Rsa8192Sha256, Hash::Sha256),
        (TestName::Rsa8192Sha384, Hash::Sha384),
        (TestName::Rsa8192Sha512, Hash::Sha512),
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
        cases += tally.cases() / 2;
    }
    told("RSA PKCS#1 v1.5", cases, 3106);
}

/// Groups with our parameters (MGF1 by the same hash, a salt as long as the digest) are judged as they say. Of the others
/// none holds: they are another algorithm, which has no name here. A key that says by its parameters what it is for is
/// not read, and the same key without them is.
#[test]
fn rsa_pss() {
    use rsa_pss_verify::TestName;
    let (mut ours, mut others) = (0, 0);
    for set in [
        TestName::RsaPss2048Sha256Mgf1SaltLen32,
        TestName::RsaPss2048Sha256Mgf1SaltLen32WithParams,
        TestName::RsaPss2048Sha384Mgf1SaltLen48,
        TestName::RsaPss3072Sha256Mgf1SaltLen32,
        TestName::RsaPss3072Sha256Mgf1SaltLen32WithParams,
        TestName::RsaPss4096Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha384Mgf1SaltLen48,
        TestName::RsaPss4096Sha512Mgf1SaltLen64,
        TestName::RsaPss4096Sha512Mgf1SaltLen64WithParams,
        TestName::RsaPss2048Sha256Mgf1SaltLen0,
        TestName::RsaPss2048Sha256Mgf1Sha1_20,
        TestName::RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams,
        TestName::RsaPss4096Sha512Mgf1SaltLen32,
        TestName::RsaPssmisc,
        TestName::RsaPssmiscWithParams,
    ] {
        let mut tally = Tally::default();
        let mut is_ours = false;
        for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
            let limited = matches!(
                set,
                TestName::RsaPss2048Sha256Mgf1SaltLen32WithParams
                    | TestName::RsaPss3072Sha256Mgf1SaltLen32WithParams
                    | TestName::RsaPss4096Sha512Mgf1SaltLen64WithParams
                    | TestName::RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams
                    | TestName::RsaPssmiscWithParams
            );
            assert_eq!(PublicKey::from_der(&group.der).is_err(), limited, "{set:?}");
            let key = PublicKey::from_der(&group.asn_key).unwrap();
            let hash = match group.hash {
                HashFunction::Sha2_256 => Some(Hash::Sha256),
                HashFunction::Sha2_384 => Some(Hash::Sha384),
                HashFunction::Sha2_512 => Some(Hash::Sha512),
                _ => None,
            };
            let same = group.mgf_hash.as_ref() == Some(&group.hash);
            match hash.filter(|hash| same && group.salt_size == hash.output_len()) {
                Some(hash) => {
                    for test in group.tests {
                        tally.verify(&key, Asymmetric::RsaPss(hash), test.tc_id, test.result, &test.msg, &test.sig);
                    }
                    is_ours = true;
                }
                // What is invalid there may have our parameters.
                None => {
                    for test in group.tests.iter().filter(|test| test.result == TestResult::Valid) {
                        for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
                            let verdict = key.verify(Asymmetric::RsaPss(hash), &test.msg, &test.sig);
                            assert_eq!(verdict, Verdict::Fails, "{set:?} {}", test.tc_id);
                        }
                        others += 1;
                    }
                }
            }
        }
        assert!(!is_ours || tally.held > 0, "{set:?}");
        ours += tally.cases();
    }
    told("RSASSA-PSS", ours, 1186);
    told("RSASSA-PSS with other parameters", others, 682);
}
