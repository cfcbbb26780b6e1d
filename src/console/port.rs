//! How the console asks the box. The binary implements it over the local socket.
use serde_json::Value;

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body; `Null` when there is none.
    pub body: Value,
}

impl Answer {
    /// Whether it is a success.
    #[must_use]
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What the box says went wrong.
    #[must_use]
    pub fn complaint(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or("refused")
    }
}

/// The box.
pub trait Port {
    /// Asks the interface, e.g. `GET /api/v1/status`. Waits a bounded time.
    ///
    /// # Errors
    /// The box does not answer, in words.
    fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, String>;

    /// Puts a whole configuration in force that was changed from this generation.
    ///
    /// # Errors
    /// The box does not answer, in words.
    fn commit(&mut self, tree: &Value, based_on: u64) -> Result<Answer, String>;
}
