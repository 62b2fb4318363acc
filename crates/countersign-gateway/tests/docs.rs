//! The examples of the documentation are configurations.

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

#[test]
fn the_webhooks_of_the_documentation_are_a_configuration() {
    let page = include_str!("../../../docs/configuration.md");
    let (_, rest) = page.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let config = Config::parse("docs/configuration.md", example.to_owned(), std::path::Path::new(""));
    let config = config.unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(config.routes.len(), 3);
    assert!(config.routes.iter().all(|route| route.key.is_some() && !route.methods.is_empty()));
}

#[test]
fn the_examples_of_links_and_values_are_configurations() {
    for (page, routes) in [
        (include_str!("../../../docs/signed-values.md"), 3),
        (include_str!("../../../examples/django-links/gateway.toml"), 4),
    ] {
        let example = match page.split_once("```toml\n") {
            Some((_, rest)) => {
                let (example, _) = rest.split_once("```").expect("its end");
                format!("[server]\nlisten = \"127.0.0.1:0\"\n{example}")
            }
            None => page.to_owned(),
        };
        let config = Config::parse("example", example, std::path::Path::new(""));
        let config = config.unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(config.routes.len(), routes);
        assert!(config.routes.iter().all(|route| route.link.is_some() || route.value.is_some()));
    }
}
