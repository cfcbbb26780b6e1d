//! The CSeq header: a number that orders requests, and the method.
use crate::method::Method;
use crate::scan;

/// A sequence number and the method it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// Below 2^31 (RFC 3261 section 8.1.1.5).
    pub number: u32,
    /// The same method as the request line of the request.
    pub method: Method,
}

/// Why a text is not a CSeq.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("CSeq is not 'number METHOD' with a number below 2^31")]
pub struct CSeqError;

impl CSeq {
    /// Reads the value.
    ///
    /// # Errors
    /// [`CSeqError`] when it is not a number below 2^31 and a method token.
    pub fn read(text: &str) -> Result<CSeq, CSeqError> {
        let text = scan::trim(text);
        let cut = text.find([' ', '\t']).ok_or(CSeqError)?;
        let number = scan::number(&text[..cut]).filter(|&n| n < 1 << 31).ok_or(CSeqError)?;
        let method = scan::trim(&text[cut..]);
        if !scan::is_token(method) {
            return Err(CSeqError);
        }
        Ok(CSeq { number, method: Method::read(method) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_refuses() {
        let c = CSeq::read("0009\t  INVITE").unwrap();
        assert_eq!((c.number, c.method), (9, Method::Invite));
        for bad in ["", "9", "INVITE 9", "2147483648 BYE", "36893488147419103232 REGISTER", "-1 ACK", "1 A B"]
        {
            assert!(CSeq::read(bad).is_err(), "{bad}");
        }
    }
}
