//! Which route covers a request.
//!
//! Routes are matched on the path's bytes as they were sent. The most specific pattern wins: an exact one, else the
//! longest prefix. Only then is the method looked at, so that a route for one method never lets another method fall
//! through to a wider route: what the more specific pattern does not cover is not covered.
//!
//! The cost does not depend on how many routes there are, but on how many slashes the path has.

use std::collections::HashMap;

use http::Method;

use crate::config::PathPattern;

/// Patterns and what they stand for.
#[derive(Debug)]
pub(crate) struct Routes<T> {
    exact: HashMap<Box<[u8]>, Vec<Entry<T>>>,
    prefixes: HashMap<Box<[u8]>, Vec<Entry<T>>>,
    /// No prefix has more slashes.
    most_slashes: usize,
}

#[derive(Debug)]
struct Entry<T> {
    /// Empty: all.
    methods: Vec<Method>,
    value: T,
}

impl<T> Routes<T> {
    pub(crate) fn new(routes: impl IntoIterator<Item = (PathPattern, Vec<Method>, T)>) -> Self {
        let mut table = Self { exact: HashMap::new(), prefixes: HashMap::new(), most_slashes: 0 };
        for (pattern, methods, value) in routes {
            let entries = match pattern {
                PathPattern::Exact(path) => table.exact.entry(path.into_bytes().into()).or_default(),
                PathPattern::Prefix(prefix) => {
                    let slashes = prefix.bytes().filter(|byte| *byte == b'/').count();
                    table.most_slashes = table.most_slashes.max(slashes);
                    table.prefixes.entry(prefix.into_bytes().into()).or_default()
                }
            };
            entries.push(Entry { methods, value });
        }
        table
    }

    /// Everything there is, in no order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        self.exact.values().chain(self.prefixes.values()).flatten().map(|entry| &entry.value)
    }

    /// What covers a path, as it was sent and without its query, and a method.
    pub(crate) fn find(&self, path: &[u8], method: &Method) -> Option<&T> {
        let entries = self.exact.get(path).or_else(|| self.longest_prefix(path))?;
        let covers = |entry: &&Entry<T>| entry.methods.is_empty() || entry.methods.contains(method);
        entries.iter().find(covers).map(|entry| &entry.value)
    }

    fn longest_prefix(&self, path: &[u8]) -> Option<&Vec<Entry<T>>> {
        let mut slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at + 1);
        // Deeper than any route reaches there is nothing to look up.
        let mut rest = &path[..slashes.nth(self.most_slashes.checked_sub(1)?).unwrap_or(path.len())];
        while let Some(slash) = rest.iter().rposition(|byte| *byte == b'/') {
            if let Some(entries) = self.prefixes.get(&rest[..=slash]) {
                return Some(entries);
            }
            rest = &rest[..slash];
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(patterns: &[(&str, &[Method])]) -> Routes<String> {
        Routes::new(patterns.iter().map(|(pattern, methods)| {
            let parsed = match pattern.strip_suffix('*') {
                Some(prefix) => PathPattern::Prefix(prefix.to_owned()),
                None => PathPattern::Exact((*pattern).to_owned()),
            };
            (parsed, methods.to_vec(), (*pattern).to_owned())
        }))
    }

    #[test]
    fn the_most_specific_route_wins() {
        let routes = routes(&[("/*", &[]), ("/a/*", &[]), ("/a/b/*", &[]), ("/a/b/c", &[]), ("/x", &[])]);
        for (path, expected) in [
            ("/", "/*"),
            ("/y", "/*"),
            ("/x", "/x"),
            ("/x/", "/*"),
            ("/a", "/*"),
            ("/a/", "/a/*"),
            ("/ab/", "/*"),
            ("/a/b", "/a/*"),
            ("/a/b/", "/a/b/*"),
            ("/a/b/c", "/a/b/c"),
            ("/a/b/c/d/e/f", "/a/b/*"),
            ("/%61/b/c", "/*"),
            ("/A/", "/*"),
        ] {
            assert_eq!(routes.find(path.as_bytes(), &Method::GET).map(String::as_str), Some(expected), "{path}");
        }
    }

    #[test]
    fn what_no_route_covers_is_not_found() {
        let routes = routes(&[("/a/*", &[]), ("/b", &[])]);
        for path in ["/", "/a", "/b/", "/c", "*", "", "a/", "//a/"] {
            assert_eq!(routes.find(path.as_bytes(), &Method::GET), None, "{path}");
        }
    }

    #[test]
    fn a_method_does_not_fall_through_to_a_wider_route() {
        let routes = routes(&[("/*", &[]), ("/admin/*", &[Method::POST]), ("/x", &[Method::GET])]);
        assert_eq!(routes.find(b"/admin/a", &Method::POST).map(String::as_str), Some("/admin/*"));
        assert_eq!(routes.find(b"/admin/a", &Method::GET), None);
        assert_eq!(routes.find(b"/x", &Method::PUT), None);
        assert_eq!(routes.find(b"/y", &Method::PUT).map(String::as_str), Some("/*"));
    }

    #[test]
    fn one_pattern_may_have_a_route_for_each_method() {
        let routes = Routes::new([
            (PathPattern::Exact("/a".to_owned()), vec![Method::GET], "get"),
            (PathPattern::Exact("/a".to_owned()), vec![Method::POST, Method::PUT], "write"),
        ]);
        assert_eq!(routes.find(b"/a", &Method::GET), Some(&"get"));
        assert_eq!(routes.find(b"/a", &Method::PUT), Some(&"write"));
        assert_eq!(routes.find(b"/a", &Method::DELETE), None);
    }

    #[test]
    fn a_path_of_slashes_costs_no_more_than_the_deepest_route() {
        let routes = routes(&[("/*", &[]), ("/a/*", &[])]);
        assert_eq!(routes.find("/".repeat(65_000).as_bytes(), &Method::GET).map(String::as_str), Some("/*"));
    }
}
