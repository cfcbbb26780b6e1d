//! Blanks what nobody who reads a capture may learn, byte for byte, so that lengths stay true: the values of digest
//! challenges and answers that a password could be guessed from, SRTP keys in SDP, and keys typed by people (INFO). Decides
//! by the name of a header or the start of a line of the body; everything else stays as it is.

/// Headers that carry digest values. None of them has a compact form.
const DIGEST: [&[u8]; 5] = [
    b"authorization",
    b"proxy-authorization",
    b"www-authenticate",
    b"proxy-authenticate",
    b"authentication-info",
];
/// Parameters in them that a password could be guessed from.
const SECRETS: [&[u8]; 5] = [b"response", b"rspauth", b"nonce", b"nextnonce", b"cnonce"];

/// The message without its secrets; as long as before.
#[must_use]
pub fn blanked(message: &[u8]) -> Vec<u8> {
    let mut out = message.to_vec();
    let (mut digest, mut body, mut typed) = (false, false, false);
    let mut start = 0;
    while start < out.len() {
        let end = out[start..].iter().position(|b| *b == b'\n').map_or(out.len(), |n| start + n + 1);
        let line = &mut out[start..end];
        if body {
            body_line(line, typed);
        } else if line.iter().all(|b| matches!(b, b'\r' | b'\n')) {
            body = true;
        } else {
            // A folded line goes on with the header before it.
            if !matches!(line.first(), Some(b' ' | b'\t')) {
                let name = name(line);
                digest = DIGEST.iter().any(|d| name.eq_ignore_ascii_case(d));
                typed |= is_typed(name, line);
            }
            if digest {
                header(line);
            }
        }
        start = end;
    }
    out
}

fn name(line: &[u8]) -> &[u8] {
    line.split(|b| *b == b':').next().unwrap_or_default().trim_ascii()
}

/// Whether the body is keys that somebody pressed.
fn is_typed(name: &[u8], line: &[u8]) -> bool {
    let value = line.get(name.len()..).unwrap_or_default().to_ascii_lowercase();
    (name.eq_ignore_ascii_case(b"content-type") || name.eq_ignore_ascii_case(b"c"))
        && value.windows(16).any(|w| w == b"application/dtmf")
}

fn header(line: &mut [u8]) {
    let mut at = 0;
    while at < line.len() {
        let word = line[at..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        let is_secret = SECRETS.iter().any(|s| line[at..at + word].eq_ignore_ascii_case(s));
        at += word.max(1);
        if is_secret {
            at = value(line, at);
        }
    }
}

/// Blanks the value after a `=`; where it ends.
fn value(line: &mut [u8], from: usize) -> usize {
    let skip =
        |at: usize, what: &[u8], line: &[u8]| at + line[at..].iter().take_while(|b| what.contains(b)).count();
    let equals = skip(from, b" \t", line);
    if line.get(equals) != Some(&b'=') {
        return from;
    }
    let mut at = skip(equals + 1, b" \t", line);
    let quoted = line.get(at) == Some(&b'"');
    at += usize::from(quoted);
    while at < line.len() && !ends(line[at], quoted) {
        line[at] = b'x';
        at += 1;
    }
    at + usize::from(quoted)
}

fn ends(byte: u8, quoted: bool) -> bool {
    match byte {
        b'"' | b'\r' | b'\n' => true,
        b',' | b' ' | b'\t' => !quoted,
        _ => false,
    }
}

fn body_line(line: &mut [u8], typed: bool) {
    if line.starts_with(b"a=crypto:") {
        if let Some(at) = line.windows(7).position(|w| w == b"inline:") {
            line[at + 7..].iter_mut().take_while(|b| !b.is_ascii_whitespace()).for_each(|b| *b = b'x');
        }
    } else if typed {
        let from = line.iter().position(|b| *b == b'=').map_or(0, |at| at + 1);
        let is_length = line.to_ascii_lowercase().starts_with(b"duration");
        if !is_length {
            line[from..].iter_mut().filter(|b| !b.is_ascii_whitespace()).for_each(|b| *b = b'x');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        String::from_utf8(blanked(text.as_bytes())).unwrap()
    }

    #[test]
    fn digests_are_blanked_in_place_and_the_rest_stays() {
        let text = "REGISTER sip:box SIP/2.0\r\nAuthorization: Digest username=\"101\", realm=\"box\", nonce=\"ab, c\",\r\n \
                    response=\"0123456789abcdef\", CNONCE = \"q\", qop=auth, nc=00000001\r\nX-Note: response=\"kept\"\r\n\r\n";
        let shown = shown(text);
        assert_eq!(shown.len(), text.len());
        assert!(shown.contains("username=\"101\", realm=\"box\", nonce=\"xxxxx\","), "{shown}");
        assert!(shown.contains("response=\"xxxxxxxxxxxxxxxx\", CNONCE = \"x\", qop=auth"), "{shown}");
        assert!(shown.contains("X-Note: response=\"kept\""), "{shown}");
    }

    #[test]
    fn a_challenge_keeps_its_realm_only() {
        let shown = shown(
            "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"box\", nonce=abc, qop=\"auth\"\r\n\r\n",
        );
        assert!(shown.contains("realm=\"box\", nonce=xxx, qop=\"auth\""), "{shown}");
    }

    #[test]
    fn keys_of_speech_and_keys_that_people_pressed_are_blanked() {
        let sdp = "INVITE sip:x SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\
                   a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0 |2^20\r\n";
        assert!(shown(sdp).contains("v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:xxxxxxxx |2^20"));
        let relay =
            "INFO sip:x SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=7\r\nDuration=160\r\n";
        assert!(shown(relay).ends_with("Signal=x\r\nDuration=160\r\n"));
        assert!(shown("INFO sip:x SIP/2.0\r\nc: application/dtmf\r\n\r\n9").ends_with("\r\n\r\nx"));
    }

    proptest! {
        #[test]
        fn any_bytes_keep_their_length(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert_eq!(blanked(&bytes).len(), bytes.len());
        }

        #[test]
        fn any_header_keeps_its_length(rest in "[ =\",a-z\r\n\t:]{0,80}") {
            let text = format!("X y z\r\nAuthorization: Digest response{rest}");
            prop_assert_eq!(blanked(text.as_bytes()).len(), text.len());
        }
    }
}
