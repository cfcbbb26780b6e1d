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
    /// The same in simplified Chinese. Not there where the status or the problems say it all to a program that has words
    /// of its own: 401, 403 and 404 in general, 429, fields of a configuration, requests that are not understood.
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
    /// Any refusal that pages cannot put in words of their own.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, said: Sentence) -> ApiError {
        ApiError { message_zh: Some(said.zh), ..ApiError::plain(status, code, said.en) }
    }

    /// One that pages have words for by its status or problems, or that no page meets.
    fn plain(status: StatusCode, code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError {
            status,
            code,
            message: message.into(),
            message_zh: None,
            problems: Vec::new(),
            generation: None,
            retry_after_s: None,
        }
    }

    /// 400: not understood. No page asks like that.
    pub fn malformed(message: impl Into<String>) -> ApiError {
        ApiError::plain(StatusCode::BAD_REQUEST, "malformed", message)
    }

    /// 401: nobody is signed in.
    #[must_use]
    pub fn unauthenticated() -> ApiError {
        ApiError::plain(StatusCode::UNAUTHORIZED, "unauthenticated", "Sign in first.")
    }

    /// 403: signed in, but not allowed.
    #[must_use]
    pub fn forbidden() -> ApiError {
        ApiError::plain(StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this.")
    }

    /// 404: no such thing (or none that the asker may know of).
    #[must_use]
    pub fn not_found(what: &str) -> ApiError {
        ApiError::plain(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// 409: contradicts the present state.
    #[must_use]
    pub fn conflict(said: Sentence) -> ApiError {
        ApiError::new(StatusCode::CONFLICT, "conflict", said)
    }

    /// 422: one field is wrong.
    #[must_use]
    pub fn field(field: &str, code: &str, said: Sentence) -> ApiError {
        let problem = Problem { field: field.into(), code: code.into(), message: said.en };
        ApiError { message_zh: Some(said.zh), ..ApiError::problems(vec![problem]) }
    }

    /// 422: what stands in a field is not a telephone number.
    #[must_use]
    pub fn no_number(field: &str) -> ApiError {
        let said = Sentence::new("This is not a number.", "这不是有效的号码。");
        ApiError::field(field, "wrong_number", said)
    }

    /// 422: fields are wrong.
    #[must_use]
    pub fn problems(problems: Vec<Problem>) -> ApiError {
        let text = match problems.as_slice() {
            [one] => one.message.clone(),
            many => format!("{} fields are wrong.", many.len()),
        };
        ApiError { problems, ..ApiError::plain(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text) }
    }

    /// 422: other things need it; the problems say which.
    pub fn in_use(message: impl Into<String>, problems: Vec<Problem>) -> ApiError {
        ApiError { problems, ..ApiError::plain(StatusCode::UNPROCESSABLE_ENTITY, "in_use", message) }
    }

    /// 429: later.
    #[must_use]
    pub fn too_many(message: &str, retry_after_s: u32) -> ApiError {
        let error = ApiError::plain(StatusCode::TOO_MANY_REQUESTS, "too_many", message);
        ApiError { retry_after_s: Some(retry_after_s), ..error }
    }

    /// 500: the box failed; the cause is in the log only.
    #[must_use]
    pub fn fault(cause: &dyn std::fmt::Display) -> ApiError {
        tracing::error!(%cause, "a request failed inside the box");
        let said =
            Sentence::new("The box could not do this. See its log.", "设备未能完成此操作，请查看其日志。");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", said)
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
    let said = Sentence::new(
        "The disk of the box is full or fails, so nothing was changed. Calls go on. The page Health says more: make room, \
         then try again.",
        "设备磁盘已满或出现故障，未做任何更改；通话不受影响。请查看“健康状态”页面，腾出空间后重试。",
    );
    ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "disk", said)
}

impl From<CommitRefusal> for ApiError {
    fn from(refusal: CommitRefusal) -> ApiError {
        match refusal {
            CommitRefusal::Problems(problems) => ApiError::problems(problems),
            CommitRefusal::Stale(generation) => ApiError {
                generation: Some(generation),
                ..ApiError::plain(
                    StatusCode::CONFLICT,
                    "conflict",
                    "Somebody changed the configuration meanwhile. Load it again.",
                )
            },
            CommitRefusal::Fault(fault) => fault.into(),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        let status = StatusCode::from_u16(refusal.http_code()).unwrap_or(StatusCode::CONFLICT);
        let (code, en, zh) = match refusal {
            Refusal::Busy => ("busy", "The other party is in a call.", "对方正在通话中。"),
            Refusal::Conflict => {
                ("conflict", "That does not go now: the state has changed.", "现在无法执行：状态已改变。")
            }
            Refusal::Forbidden => {
                ("forbidden", "The rights of this extension do not allow it.", "该分机的权限不允许此操作。")
            }
            Refusal::Unavailable => ("unavailable", "Nobody can be reached there now.", "目前无法接通对方。"),
            Refusal::Unknown => ("not_found", "There is no such thing (any more).", "该项不存在或已不存在。"),
            Refusal::Overloaded => {
                ("overloaded", "The box is at its limit. Try again shortly.", "设备已达上限，请稍后重试。")
            }
            Refusal::Malformed => ("malformed", "That makes no sense as given.", "所给内容没有意义。"),
            Refusal::NoAnswer => ("no_answer", "Nobody answered.", "无人应答。"),
            Refusal::Declined => ("declined", "The other party declined.", "对方已拒绝。"),
            Refusal::NotAcceptable => {
                ("not_acceptable", "No common sound coding.", "双方没有共同的语音编码。")
            }
        };
        ApiError::new(status, code, Sentence::new(en, zh))
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> ApiError {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::plain(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                "Send JSON with Content-Type: application/json.",
            ),
            status => ApiError::plain(status, "malformed", rejection.body_text()),
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
    let said = Sentence::new("The body is larger than 1 MiB.", "内容超过 1 MiB。");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", said)
}
