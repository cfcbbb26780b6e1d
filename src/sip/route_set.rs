//! The route set of a session and what it makes of a target (RFC 3261 sections 12.1 and 12.2.1.1), loose and strict.
use crate::headers::Headers;
use crate::name::Name;
use crate::name_addr::NameAddr;
use crate::uri::Uri;

/// Proxies that stay in the path, nearest first, as they wrote themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteSet {
    routes: Vec<NameAddr>,
}

impl RouteSet {
    /// From the request that made us callee: Record-Route in order.
    #[must_use]
    pub fn of_request(headers: &Headers) -> RouteSet {
        RouteSet { routes: headers.list(Name::RecordRoute).filter_map(|v| NameAddr::read(v).ok()).collect() }
    }

    /// From the answer that made us caller: Record-Route reversed.
    #[must_use]
    pub fn of_response(headers: &Headers) -> RouteSet {
        let mut set = RouteSet::of_request(headers);
        set.routes.reverse();
        set
    }

    /// Routes we were configured with.
    #[must_use]
    pub fn preloaded(routes: &[Uri]) -> RouteSet {
        RouteSet { routes: routes.iter().map(|u| NameAddr::new(u.with_param("lr", None))).collect() }
    }

    /// Request-URI and Route values for a request to `target`.
    #[must_use]
    pub fn apply(&self, target: &Uri) -> (Uri, Vec<String>) {
        let text = |routes: &[NameAddr]| routes.iter().map(ToString::to_string).collect::<Vec<_>>();
        match self.routes.first() {
            Some(strict) if strict.uri.param("lr").is_none() => {
                let mut routes = text(&self.routes[1..]);
                routes.push(format!("<{target}>"));
                (strict.uri.without_headers(), routes)
            }
            Some(_) | None => (target.without_headers(), text(&self.routes)),
        }
    }

    /// The nearest proxy.
    #[must_use]
    pub fn first(&self) -> Option<&Uri> {
        self.routes.first().map(|r| &r.uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Headers {
        Headers::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn loose_routes_keep_the_target() {
        let h = set("Record-Route: <sip:p2;lr>, <sip:p1;lr;x=1>\r\n");
        let target = Uri::read("sip:a@b?x=y").unwrap();
        assert_eq!(
            RouteSet::of_request(&h).apply(&target),
            (Uri::read("sip:a@b").unwrap(), vec!["<sip:p2;lr>".into(), "<sip:p1;lr;x=1>".into()])
        );
        assert_eq!(RouteSet::of_response(&h).first().map(Uri::as_str), Some("sip:p1;lr;x=1"));
    }

    #[test]
    fn a_strict_router_takes_the_request_uri() {
        let target = Uri::read("sip:a@b").unwrap();
        let routes =
            RouteSet::of_request(&set("Record-Route: <sip:strict>\r\nRecord-Route: <sip:p2;lr>\r\n"));
        assert_eq!(
            routes.apply(&target),
            (Uri::read("sip:strict").unwrap(), vec!["<sip:p2;lr>".into(), "<sip:a@b>".into()])
        );
    }
}
