//! Header names: long and compact forms, any case, one value. Unknown names stay text in the message itself.
macro_rules! names {
    ($($variant:ident $long:literal $short:literal $list:literal),* $(,)?) => {
        /// A header name that this crate or its callers look at.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Name {
            $(#[doc = $long] $variant,)*
            /// Any other name; compare the text.
            Other,
        }

        impl Name {
            /// The name for a header's text, in long or compact form and any case.
            #[must_use]
            pub fn read(text: &str) -> Name {
                if text.len() == 1 {
                    $(if !$short.is_empty() && text.eq_ignore_ascii_case($short) { return Name::$variant; })*
                    return Name::Other;
                }
                $(if text.len() == $long.len() && text.eq_ignore_ascii_case($long) { return Name::$variant; })*
                Name::Other
            }

            /// The long form; empty for `Other`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Name::$variant => $long,)*
                    Name::Other => "",
                }
            }

            /// Whether the header is a comma-separated list by its grammar.
            #[must_use]
            pub fn is_list(self) -> bool {
                match self {
                    $(Name::$variant => $list,)*
                    Name::Other => false,
                }
            }
        }
    };
}

names! {
    Via "Via" "v" true,
    From "From" "f" false,
    To "To" "t" false,
    CallId "Call-ID" "i" false,
    CSeq "CSeq" "" false,
    MaxForwards "Max-Forwards" "" false,
    Contact "Contact" "m" true,
    ContentLength "Content-Length" "l" false,
    ContentType "Content-Type" "c" false,
    Route "Route" "" true,
    RecordRoute "Record-Route" "" true,
    Expires "Expires" "" false,
    MinExpires "Min-Expires" "" false,
    Allow "Allow" "" true,
    Supported "Supported" "k" true,
    Require "Require" "" true,
    ProxyRequire "Proxy-Require" "" true,
    Unsupported "Unsupported" "" true,
    Authorization "Authorization" "" false,
    ProxyAuthorization "Proxy-Authorization" "" false,
    WwwAuthenticate "WWW-Authenticate" "" false,
    ProxyAuthenticate "Proxy-Authenticate" "" false,
    UserAgent "User-Agent" "" false,
    Server "Server" "" false,
    Event "Event" "o" false,
    SubscriptionState "Subscription-State" "" false,
    Accept "Accept" "" true,
    RetryAfter "Retry-After" "" false,
    Reason "Reason" "" true,
    Warning "Warning" "" true,
    Subject "Subject" "s" false,
    ContentEncoding "Content-Encoding" "e" true,
    ContentDisposition "Content-Disposition" "" false,
    Date "Date" "" false,
    ReferTo "Refer-To" "r" false,
    ReferredBy "Referred-By" "b" false,
    Replaces "Replaces" "" false,
    SessionExpires "Session-Expires" "x" false,
    MinSe "Min-SE" "" false,
    RSeq "RSeq" "" false,
    RAck "RAck" "" false,
    Path "Path" "" true,
    PAssertedIdentity "P-Asserted-Identity" "" true,
    PPreferredIdentity "P-Preferred-Identity" "" true,
    Privacy "Privacy" "" false,
    Diversion "Diversion" "" true,
    HistoryInfo "History-Info" "" true,
    AlertInfo "Alert-Info" "" true,
    MimeVersion "MIME-Version" "" false,
    Timestamp "Timestamp" "" false,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_and_case() {
        assert_eq!(Name::read("v"), Name::Via);
        assert_eq!(Name::read("V"), Name::Via);
        assert_eq!(Name::read("call-id"), Name::CallId);
        assert_eq!(Name::read("I"), Name::CallId);
        assert_eq!(Name::read("x"), Name::SessionExpires);
        assert_eq!(Name::read("X-Thing"), Name::Other);
        assert_eq!(Name::read("z"), Name::Other);
    }
}
