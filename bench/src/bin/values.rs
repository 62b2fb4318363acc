//! Signed values: opening them against Django's and itsdangerous' own Python, and against the bare HMAC. Prints a table
//! and writes `target/bench/values.json`. `$PYTHONPATH` is where the frameworks are; without them there are only ours.

#![expect(clippy::print_stdout, reason = "a benchmark's whole interface is what it prints")]

use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use countersign_core::alg::{Hash, MacKey};
use countersign_signed::{Codec, Digest, Json, Judging, Keys, UnixTime, django, itsdangerous};
use serde_json::{Value, json};

const BATCHES: usize = 300;
const PER_BATCH: u32 = 500;
const NOW: UnixTime = UnixTime::from_secs(1_714_566_896);
const KEY: &str = "django-insecure-0123456789abcdefghijklmnopqrstuvwxyz";
const OBJECT: &str = r#"{"user":42,"email":"anne@example.com","roles":["editor","reviewer"],"next":"/orders/17"}"#;

/// A value, and what opens it.
struct Case {
    name: &'static str,
    codec: Codec,
    objects: bool,
    signed: String,
    bare: MacKey,
}

fn main() -> std::io::Result<()> {
    let cases = cases();
    let peers = python(&cases)?;
    println!(
        "{:<34} {:>8} {:>8} {:>7} {:>10} {:>7}",
        "operation", "ours, ns", "HMAC, ns", "ratio", "Python, ns", "times"
    );
    let mut rows = Vec::new();
    for case in &cases {
        let judging = Judging::at(NOW).max_age(600);
        let message = case.signed.rsplit_once([':', '.']).map_or("", |(message, _)| message);
        let open = || {
            if case.objects {
                case.codec.loads(black_box(&case.signed), &judging).is_ok()
            } else {
                case.codec.unsign(black_box(&case.signed), &judging).is_ok()
            }
        };
        assert!(open(), "{}", case.name);
        let (mut ours, mut bare) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..BATCHES {
            ours = ours.min(batch(open));
            bare = bare.min(batch(|| case.bare.mac(black_box(message.as_bytes())).as_bytes().first().copied()));
        }
        let theirs = peers[case.name].as_f64();
        let told =
            |figure: Option<f64>, digits: usize| figure.map_or("-".to_owned(), |figure| format!("{figure:.digits$}"));
        println!(
            "{:<34} {ours:>8.0} {bare:>8.0} {:>7.2} {:>10} {:>7}",
            case.name,
            ours / bare,
            told(theirs, 0),
            told(theirs.map(|theirs| theirs / ours), 1)
        );
        rows.push(json!({"operation": case.name, "ours_ns": ours, "bare_ns": bare, "python_ns": theirs}));
    }
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/values.json", format!("{:#}\n", Value::Array(rows)))
}

fn cases() -> Vec<Case> {
    let keys = Keys::one(KEY).expect("a key");
    let object = Json::parse(OBJECT.as_bytes()).expect("JSON");
    let django = |class, compress| -> Codec {
        let options = django::Options { class, compress, ..django::Options::default() };
        django::Signer::new(&keys, &options).expect("settings").into()
    };
    let its = |timed, salt: &str| -> Codec {
        let options = itsdangerous::Options {
            timed,
            salt: salt.to_owned(),
            digest: Digest::Sha1,
            ..itsdangerous::Options::default()
        };
        itsdangerous::Signer::new(&keys, &options).expect("settings").into()
    };
    // The derived key's length makes no difference to the bare HMAC.
    let several = Json::Array(vec![object.clone(); 8]);
    let case = |name: &'static str, codec: Codec, objects, hash| {
        let object = if name.contains("700") { &several } else { &object };
        let signed = if objects { codec.dumps(object, NOW) } else { codec.sign("user-42", NOW) };
        Case { name, codec, objects, signed: signed.expect("a value"), bare: MacKey::new(hash, &[7; 32]) }
    };
    vec![
        case("django Signer.unsign", django(django::Class::Signer, false), false, Hash::Sha256),
        case("django TimestampSigner.unsign", django(django::Class::TimestampSigner, false), false, Hash::Sha256),
        case("django loads", django(django::Class::Dumps, false), true, Hash::Sha256),
        case("django loads, 700 bytes", django(django::Class::Dumps, false), true, Hash::Sha256),
        case("django loads, 700 bytes compressed", django(django::Class::Dumps, true), true, Hash::Sha256),
        case("itsdangerous TimestampSigner.unsign", its(true, itsdangerous::SIGNER_SALT), false, Hash::Sha1),
        case("itsdangerous loads", its(true, itsdangerous::SERIALIZER_SALT), true, Hash::Sha1),
    ]
}

/// What Python needs for the same values, in nanoseconds, by name.
fn python(cases: &[Case]) -> std::io::Result<Value> {
    let lines: Vec<String> = cases
        .iter()
        .map(|case| json!({"name": case.name, "key": KEY, "now": NOW.secs(), "signed": case.signed}).to_string())
        .collect();
    let mut program = Command::new("python3");
    program.arg("bench/values.py").stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut running) = program.spawn() else { return Ok(Value::Null) };
    running.stdin.take().expect("a pipe").write_all(lines.join("\n").as_bytes())?;
    let answered = running.wait_with_output()?;
    Ok(serde_json::from_slice(&answered.stdout).unwrap_or_default())
}

fn batch<T>(mut run: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    for _ in 0..PER_BATCH {
        black_box(run());
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(PER_BATCH)
}
