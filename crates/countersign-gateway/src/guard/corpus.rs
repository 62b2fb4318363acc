//! The requests of `tests/data/requests.toml`, which the tests of the guard and of the whole gateway share.

/// One case: bytes on the wire, and what has to come of them.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) wire: Vec<u8>,
    /// `passes`, or the code of a violation.
    pub(crate) expect: String,
    /// How many requests pass.
    pub(crate) requests: usize,
}

/// All cases. A character of the file stands for the byte of the same number.
pub(crate) fn cases() -> Vec<Case> {
    let table: toml::Table = include_str!("../../tests/data/requests.toml").parse().expect("the corpus is TOML");
    let cases = table["case"].as_array().expect("cases are an array");
    cases
        .iter()
        .map(|case| {
            let case = case.as_table().expect("a case is a table");
            for key in case.keys() {
                assert!(["name", "wire", "expect", "requests"].contains(&key.as_str()), "unknown key {key}");
            }
            let text = |key: &str| case[key].as_str().expect("text").to_owned();
            let wire = text("wire").chars().map(|c| u8::try_from(c).expect("a byte")).collect();
            let requests = case.get("requests").map_or(1, |n| n.as_integer().expect("a number"));
            Case { name: text("name"), wire, expect: text("expect"), requests: requests.try_into().expect("small") }
        })
        .collect()
}
