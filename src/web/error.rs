//! What a caller of the interface is told when something does not work: a status, a machine word that is the UI's key,
//! an English sentence, and for configuration the list of problems. Internals (paths, SQL, panics) never leave the box.
use crate::ports::{CommitRefusal, Fault};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::config::draft::Problem;
use model::id::Generation;
use model::refusal::Refusal;
use model::sentence::Sentence;
use serde::Serialize;
use utoipa::ToSchema;

/// A refusal of the interface.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    message_zh: Option<String>,
    problems: Vec<Problem>,
    generation: Option<Generation>,
    retry_after_s: Option<u32>,
}

/// Body of every answer that is not a success.
#[derive(Serialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub struct ErrorDetail {
    /// Machine word.
    pub code: String,
    /// English sentence: what, and what to do.
    pub message: String,
    /// The same in simplified Chinese, where the box has it (updates, backups, network).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_zh: Option<String>,
    /// Fields of a configuration, when they are the cause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// The generation in force, with code `conflict` of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
}

impl ApiError {
    /// Any refusal.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> ApiError {
        let message = message.into();
        ApiError {
            status,
            code,
            message,
            message_zh: None,
            problems: Vec::new(),
            generation: None,
            retry_after_s: None,
        }
    }

    /// Any refusal that is said in both languages.
    #[must_use]
    pub fn said(status: StatusCode, code: &'static str, said: Sentence) -> ApiError {
        ApiError::new(status, code, said.en).in_chinese(said.zh)
    }

    /// The same sentence in simplified Chinese.
    #[must_use]
    pub fn in_chinese(self, message: impl Into<String>) -> ApiError {
        ApiError { message_zh: Some(message.into()), ..self }
    }

    /// 400: not understood.
    pub fn malformed(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, "malformed", message)
    }

    /// 401: nobody is signed in.
    #[must_use]
    pub fn unauthenticated() -> ApiError {
        ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Sign in first.")
    }

    /// 403: signed in, but not allowed.
    #[must_use]
    pub fn forbidden() -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this.")
    }

    /// 404: no such thing (or none that the asker may know of).
    #[must_use]
    pub fn not_found(what: &str) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// 409: contradicts the present state.
    pub fn conflict(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// 422: one field is wrong.
    #[must_use]
    pub fn field(field: &str, code: &str, message: &str) -> ApiError {
        ApiError::problems(vec![Problem { field: field.into(), code: code.into(), message: message.into() }])
    }

    /// 422: fields are wrong.
    #[must_use]
    pub fn problems(problems: Vec<Problem>) -> ApiError {
        let text = match problems.as_slice() {
            [one] => one.message.clone(),
            many => format!("{} fields are wrong.", many.len()),
        };
        ApiError { problems, ..ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text) }
    }

    /// 422: other things need it; the problems say which.
    pub fn in_use(message: impl Into<String>, problems: Vec<Problem>) -> ApiError {
        ApiError { problems, ..ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "in_use", message) }
    }

    /// 429: later.
    #[must_use]
    pub fn too_many(message: &str, retry_after_s: u32) -> ApiError {
        let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message);
        ApiError { retry_after_s: Some(retry_after_s), ..error }
    }

    /// 500: the box failed; the cause is in the log only.
    #[must_use]
    pub fn fault(cause: &dyn std::fmt::Display) -> ApiError {
        tracing::error!(%cause, "a request failed inside the box");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", "The box could not do this. See its log.")
    }

    /// The machine word.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let detail = ErrorDetail {
            code: self.code.to_owned(),
            message: self.message,
            message_zh: self.message_zh,
            problems: self.problems,
            generation: self.generation,
        };
        let mut response = (self.status, axum::Json(ErrorBody { error: detail })).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> ApiError {
        match fault {
            Fault::Inside(_) => ApiError::fault(&fault),
            Fault::Disk(_) => no_disk(&fault),
        }
    }
}

/// 507: the disk is full or fails.
fn no_disk(fault: &Fault) -> ApiError {
    tracing::warn!(cause = %fault, "a request was refused: the disk does not take it");
    let text = "The disk of the box is full or fails, so nothing was changed. Calls go on. The page Health says more: make room, \
                then try again.";
    ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "disk", text).in_chinese(
        "设备磁盘已满或出现故障，未做任何更改；通话不受影响。请查看“健康状态”页面，腾出空间后重试。",
    )
}

impl From<CommitRefusal> for ApiError {
    fn from(refusal: CommitRefusal) -> ApiError {
        match refusal {
            CommitRefusal::Problems(problems) => ApiError::problems(problems),
            CommitRefusal::Stale(generation) => ApiError {
                generation: Some(generation),
                ..ApiError::conflict("Somebody changed the configuration meanwhile. Load it again.")
            },
            CommitRefusal::Fault(fault) => fault.into(),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        let status = StatusCode::from_u16(refusal.http_code()).unwrap_or(StatusCode::CONFLICT);
        let (code, message) = match refusal {
            Refusal::Busy => ("busy", "The other party is in a call."),
            Refusal::Conflict => ("conflict", "That does not go now: the state has changed."),
            Refusal::Forbidden => ("forbidden", "The rights of this extension do not allow it."),
            Refusal::Unavailable => ("unavailable", "Nobody can be reached there now."),
            Refusal::Unknown => ("not_found", "There is no such thing (any more)."),
            Refusal::Overloaded => ("overloaded", "The box is at its limit. Try again shortly."),
            Refusal::Malformed => ("malformed", "That makes no sense as given."),
            Refusal::NoAnswer => ("no_answer", "Nobody answered."),
            Refusal::Declined => ("declined", "The other party declined."),
            Refusal::NotAcceptable => ("not_acceptable", "No common sound coding."),
        };
        ApiError::new(status, code, message)
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> ApiError {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                "Send JSON with Content-Type: application/json.",
            ),
            status => ApiError::new(status, "malformed", rejection.body_text()),
        }
    }
}

impl From<PathRejection> for ApiError {
    fn from(_: PathRejection) -> ApiError {
        ApiError::not_found("thing")
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> ApiError {
        ApiError::malformed(rejection.body_text())
    }
}

/// 413 with the limit in words.
#[must_use]
pub fn too_large() -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is larger than 1 MiB.")
}
