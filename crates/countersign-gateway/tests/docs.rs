//! The example of docs/gateway.md is a configuration.

use countersign_gateway::config::Config;

#[test]
fn the_example_of_the_documentation_is_a_configuration() {
    let page = include_str!("../../../docs/gateway.md");
    let (_, rest) = page.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let text = format!("[server]\nlisten = \"127.0.0.1:0\"\n{example}");
    let config =
        Config::parse("docs/gateway.md", text, std::path::Path::new("")).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(config.routes[0].sign.is_some() && config.routes[1].sign_response.is_some());
}
