//! The crate `httpsig` as a peer of the interop run: a line of JSON in, a line of JSON out. Also what verifying costs with
//! it, for `cargo xtask bench`.
//!
//! ```text
//! {"do": "sign" | "verify" | "base", "alg", "secret" | "private_key" | "public_key", "label", "covered": [{"id", "values"}],
//!  "created", "expires", "nonce", "keyid", "tag", "name_alg", "signature_input", "signature"}
//! ```
//!
//! The crate takes the values of components as they are: of a derived one its value, of a field each line's. What these
//! are, the driver says; joining, structured fields, the base and the cryptography are the crate's.

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::Instant;

use httpsig::prelude::message_component::{HttpMessageComponent, HttpMessageComponentId};
use httpsig::prelude::{
    AlgorithmName, HttpSignatureBase, HttpSignatureHeaders, HttpSignatureParams, PublicKey, SecretKey, SharedKey,
};
use serde_json::{Value, json};

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    if std::env::args().nth(1).is_some_and(|word| word == "bench") {
        return bench();
    }
    for text in std::io::stdin().lock().lines() {
        let line: Value = serde_json::from_str(&text?)?;
        let answer = match line["do"].as_str() {
            Some("sign") => sign(&line),
            Some("verify") => verify(&line).map(|accepted| json!({ "accepted": accepted })),
            Some("base") => base(&line).map(|(base, _)| json!({ "base": String::from_utf8_lossy(&base.as_bytes()) })),
            _ => Err("nothing to do".into()),
        };
        let answer = answer.unwrap_or_else(|error| json!({ "error": error.to_string() }));
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn text<'l>(line: &'l Value, name: &str) -> Result<&'l str, Failed> {
    line[name].as_str().ok_or_else(|| format!("no {name}").into())
}

fn algorithm(line: &Value) -> Result<AlgorithmName, Failed> {
    Ok(text(line, "alg")?.parse()?)
}

/// The values of a component, as the driver gives them.
fn values(line: &Value, id: &str) -> Result<Vec<String>, Failed> {
    let covered = line["covered"].as_array().ok_or("no components")?;
    let same = |one: &&Value| one["id"].as_str().is_some_and(|known| known == id);
    let values = covered.iter().find(same).and_then(|one| one["values"].as_array()).ok_or("a component without value")?;
    Ok(values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect())
}

fn components(line: &Value, ids: &[HttpMessageComponentId]) -> Result<Vec<HttpMessageComponent>, Failed> {
    let one = |id: &HttpMessageComponentId| -> Result<HttpMessageComponent, Failed> {
        let values = values(line, &id.to_string())?;
        Ok(HttpMessageComponent::try_from((id, values.as_slice()))?)
    };
    ids.iter().map(one).collect()
}

fn sign(line: &Value) -> Result<Value, Failed> {
    let covered = line["covered"].as_array().ok_or("no components")?;
    let ids: Result<Vec<_>, _> =
        covered.iter().map(|one| HttpMessageComponentId::try_from(one["id"].as_str().unwrap_or_default())).collect();
    let ids = ids?;
    let mut parameters = HttpSignatureParams::try_new(&ids)?;
    parameters.created = line["created"].as_u64();
    parameters.expires = line["expires"].as_u64();
    parameters.nonce = line["nonce"].as_str().map(str::to_owned);
    parameters.keyid = line["keyid"].as_str().map(str::to_owned);
    parameters.tag = line["tag"].as_str().map(str::to_owned);
    if line["name_alg"] == true {
        parameters.set_alg(&algorithm(line)?);
    }
    let base = HttpSignatureBase::try_new(&components(line, &ids)?, &parameters)?;
    let label = Some(text(line, "label")?);
    let made = match line["secret"].as_str() {
        Some(secret) => base.build_signature_headers(&SharedKey::HmacSha256(secret.as_bytes().to_vec()), label)?,
        None => {
            let key = SecretKey::from_pem(&algorithm(line)?, text(line, "private_key")?)?;
            base.build_signature_headers(&key, label)?
        }
    };
    Ok(json!({ "signature_input": made.signature_input_header_value(), "signature": made.signature_header_value() }))
}

fn base(line: &Value) -> Result<(HttpSignatureBase, HttpSignatureHeaders), Failed> {
    let mut all = HttpSignatureHeaders::try_parse(text(line, "signature")?, text(line, "signature_input")?)?;
    let headers = all.swap_remove(text(line, "label")?).ok_or("no signature of this label")?;
    let parameters = headers.signature_params();
    let base = HttpSignatureBase::try_new(&components(line, &parameters.covered_components)?, parameters)?;
    Ok((base, headers))
}

fn verify(line: &Value) -> Result<bool, Failed> {
    let (base, headers) = base(line)?;
    Ok(match line["secret"].as_str() {
        Some(secret) => {
            base.verify_signature_headers(&SharedKey::HmacSha256(secret.as_bytes().to_vec()), &headers).is_ok()
        }
        None => {
            let key = PublicKey::from_pem(&algorithm(line)?, text(line, "public_key")?)?;
            base.verify_signature_headers(&key, &headers).is_ok()
        }
    })
}

/// Batches, of which the fastest counts.
const BATCHES: usize = 100;
const PER_BATCH: u32 = 100;

/// Reads the cases of `countersign-bench` from standard input, and prints what one verification of each costs, in
/// nanoseconds: from fields and component values to the verdict, the key read before.
fn bench() -> Result<(), Failed> {
    for text_line in std::io::stdin().lock().lines() {
        let line: Value = serde_json::from_str(&text_line?)?;
        let (input, signature) = (text(&line, "signature_input")?, text(&line, "signature")?);
        let label = text(&line, "label")?;
        let covered: Vec<(String, Vec<String>)> = line["covered"]
            .as_array()
            .ok_or("no components")?
            .iter()
            .map(|one| {
                let id = one["id"].as_str().unwrap_or_default().to_owned();
                values(&line, &id).map(|values| (id, values))
            })
            .collect::<Result<_, _>>()?;
        let shared = line["secret"].as_str().map(|secret| SharedKey::HmacSha256(secret.as_bytes().to_vec()));
        let public = match shared {
            Some(_) => None,
            None => Some(PublicKey::from_pem(&algorithm(&line)?, text(&line, "public_key")?)?),
        };
        let once = || -> Result<(), Failed> {
            let all = HttpSignatureHeaders::try_parse(black_box(signature), black_box(input))?;
            let headers = all.get(label).ok_or("no signature of this label")?;
            let parameters = headers.signature_params();
            let one = |(id, (_, values)): (&HttpMessageComponentId, &(String, Vec<String>))| {
                HttpMessageComponent::try_from((id, values.as_slice()))
            };
            let lines = parameters.covered_components.iter().zip(&covered).map(one).collect::<Result<Vec<_>, _>>()?;
            let base = HttpSignatureBase::try_new(&lines, parameters)?;
            match (&shared, &public) {
                (Some(key), _) => base.verify_signature_headers(key, headers)?,
                (None, Some(key)) => base.verify_signature_headers(key, headers)?,
                (None, None) => return Err("no key".into()),
            }
            Ok(())
        };
        once()?;
        let mut best = f64::INFINITY;
        for _ in 0..BATCHES {
            let start = Instant::now();
            for _ in 0..PER_BATCH {
                once()?;
            }
            best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(PER_BATCH));
        }
        println!("{}", json!({ "name": line["name"], "ns": best }));
    }
    Ok(())
}
