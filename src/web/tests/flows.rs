//! What the flow editor asks for: a fictional call, own prompts.
use super::common::{bench, with};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_fictional_call_is_told_step_by_step_to_leads_only() {
    let bench = bench();
    let sam = bench.sign_in("sam").await;
    let question =
        json!({ "caller": "+49171", "called": "+49301000", "at": "2026-12-24T18:05", "no_agents": ["2"] });
    let told = bench.ask(&sam, "POST", "/api/v1/what-if", Some(&question)).await;
    assert_eq!(told.json()["steps"][0]["detail"], "+49301000", "{}", told.text());
    let senseless = bench.ask(&sam, "POST", "/api/v1/what-if", Some(&json!({ "called": "1" }))).await;
    assert_eq!(senseless.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(senseless.text().contains("moment"), "{}", senseless.text());
    let ada = bench.sign_in("ada").await;
    let agent = bench.ask(&ada, "POST", "/api/v1/what-if", Some(&question)).await;
    assert_eq!(agent.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_prompt_is_kept_or_refused_with_the_remedy() {
    let bench = bench();
    let admin = bench.sign_in("anna").await;
    let put = async |path: &str, body: &'static str| {
        let request = Request::builder().method("PUT").uri(path).header("host", "box.lan");
        let request = request.body(Body::from(body)).unwrap();
        bench.send(with(&admin, request)).await
    };
    let kept = put("/api/v1/prompts/night/zh", "RIFF").await;
    assert_eq!(kept.json()["path"], "prompts/zh/night.wav", "{}", kept.text());
    let mp3 = put("/api/v1/prompts/night/en", "ID3").await;
    assert_eq!(mp3.status, StatusCode::UNPROCESSABLE_ENTITY);
    let said = &mp3.json()["error"];
    assert!(said["message"] == "Save it as WAV." && said["message_zh"] == "请另存为 WAV。", "{}", mp3.text());
    assert_eq!(put("/api/v1/prompts/night/fr", "RIFF").await.status, StatusCode::NOT_FOUND);
    let full = put("/api/v1/prompts/night/en", "RIFF too much").await;
    assert_eq!(full.status, StatusCode::INSUFFICIENT_STORAGE, "{}", full.text());
    assert!(full.text().contains("disk of the box is full") && full.text().contains("磁盘已满"));
}

#[tokio::test]
async fn what_is_refused_by_the_state_of_the_box_is_said_in_both_languages() {
    let bench = bench();
    let admin = bench.sign_in("anna").await;
    let again = json!({ "name": "anna", "password": "long enough, longer", "role": "agent" });
    let taken = bench.ask(&admin, "POST", "/api/v1/users", Some(&again)).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert_eq!(taken.json()["error"]["message_zh"], "已有同名用户。", "{}", taken.text());
    let short = json!({ "name": "new", "password": "short", "role": "agent" });
    let short = bench.ask(&admin, "POST", "/api/v1/users", Some(&short)).await;
    assert_eq!(short.json()["error"]["message_zh"], "密码至少需要 10 个字符。", "{}", short.text());
    let rule = json!({ "text": "waitd > 5 -> hang_up" });
    let rule = bench.ask(&admin, "POST", "/api/v1/config/rule", Some(&rule)).await;
    let said = rule.json()["error"]["message_zh"].as_str().unwrap_or_default().to_owned();
    assert!(said.starts_with("第 1 个字符：无法识别“waitd”"), "{}", rule.text());
}
