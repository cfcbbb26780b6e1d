//! Listens: HTTPS for people and scripts, HTTP only to send them there, and the local socket with an administrator's
//! rights for whoever is root on the box. Bounds connections, header and body sizes, and how long anybody may be slow.
//! Stops by refusing new connections and letting running requests end.
use crate::api;
use crate::app::App;
use crate::assets;
use crate::error::{ApiError, too_large};
use crate::guard::Peer;
use crate::headers::{self, secure};
use crate::patience::{Patient, Work};
use crate::upload;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// Connections of HTTPS at once; more wait in the kernel. 300 slow clients leave room for everybody else.
const CONNECTIONS: usize = 600;
/// Connections of plain HTTP: each lives for one redirect.
const REDIRECTS: usize = 64;
/// Connections of the local socket: the commands of a few root shells.
const LOCAL: usize = 32;
/// Largest body.
pub const BODY: usize = 1024 * 1024;
/// Longest request line and headers together.
const HEAD: usize = 32 * 1024;
/// Most header fields; browsers send about 20.
const FIELDS: usize = 64;
/// Time for TLS to agree.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Time for the headers of a request to arrive, and for an idle connection to ask again.
const HEADERS: Duration = Duration::from_secs(30);
/// Time for a body to arrive.
const WHOLE_BODY: Duration = Duration::from_secs(30);
/// Time for a body that goes to a file, over a slow line.
const LARGE_BODY: Duration = Duration::from_secs(3 * 3600);
/// Time without a byte in either direction. Live pages ping every 15 s.
const STILL: Duration = Duration::from_secs(40);
/// Time for running requests to end when the server stops.
const STOPPING: Duration = Duration::from_secs(3);

/// What to listen on; every socket is bound by the caller, who knows the ports and says what is wrong with them.
pub struct Listen {
    /// HTTPS with its certificate.
    pub https: (TcpListener, Arc<ServerConfig>),
    /// HTTP that only redirects.
    pub http: Option<TcpListener>,
    /// The local socket; its file mode is the caller's care.
    pub local: UnixListener,
    /// Counted up twice a second while the server's tasks get their turn; the supervisor watches it.
    pub beat: Arc<AtomicU64>,
}

/// Between two beats.
const BEAT: Duration = Duration::from_millis(500);

/// Serves until `stop` becomes true, then a little longer for what runs.
pub async fn serve(app: App, listen: Listen, mut stop: watch::Receiver<bool>) {
    let router = router(&app);
    let hub = Arc::clone(&app.hub);
    let mut tasks = JoinSet::new();
    let folding = tokio::spawn(async move { hub.run().await });
    let shared = app.clone();
    let following = tokio::spawn(async move { shared.follow_site().await });
    let https_port = listen.https.0.local_addr().map(|a| a.port()).unwrap_or(443);
    let (tcp, tls) = listen.https;
    tasks.spawn(accept_https(tcp, TlsAcceptor::from(tls), router.clone(), stop.clone()));
    tasks.spawn(accept_local(listen.local, router, stop.clone()));
    if let Some(http) = listen.http {
        tasks.spawn(accept_http(http, https_port, stop.clone()));
    }
    let mut beat = tokio::time::interval(BEAT);
    while !*stop.borrow() {
        tokio::select! {
            () = stopped(&mut stop) => break,
            _ = beat.tick() => drop(listen.beat.fetch_add(1, Ordering::Relaxed)),
        }
    }
    while tasks.join_next().await.is_some() {}
    folding.abort();
    following.abort();
}

/// Everything that is served, behind every listener.
pub fn router(app: &App) -> Router {
    api::router(app)
        .fallback(assets::serve)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn(bounded))
        .layer(from_fn(secure))
        .with_state(app.clone())
}

/// Refuses a body that says it is too large before reading it, and one that takes too long.
async fn bounded(request: Request, next: Next) -> Response {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    let length = length.and_then(|v| v.parse::<u64>().ok()).unwrap_or(0);
    match upload::limit_of(request.uri().path()) {
        Some(limit) if length > limit => upload::too_large(limit).into_response(),
        None if !usize::try_from(length).is_ok_and(|l| l <= BODY) => too_large().into_response(),
        Some(_) | None => next.run(request).await,
    }
}

async fn accept_https(tcp: TcpListener, tls: TlsAcceptor, router: Router, stop: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        let Some((place, stream, from)) = next(&room, &mut open, &stop, || tcp.accept()).await else { break };
        let (tls, router, stop) = (tls.clone(), router.clone(), stop.clone());
        open.spawn(async move {
            let _place = place;
            let _ = stream.set_nodelay(true);
            let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await else { return };
            let from: SocketAddr = from;
            connection(stream, router, Peer::Net(from.ip().to_canonical()), stop).await;
        });
    }
    end(open).await;
}

async fn accept_local(socket: UnixListener, router: Router, stop: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(LOCAL));
    let mut open = JoinSet::new();
    loop {
        let Some((place, stream, _)) = next(&room, &mut open, &stop, || socket.accept()).await else { break };
        let (router, stop) = (router.clone(), stop.clone());
        open.spawn(async move {
            let _place = place;
            connection(stream, router, Peer::Local, stop).await;
        });
    }
    end(open).await;
}

/// The next connection when there is room for it; `None` = stop.
async fn next<S, A, F>(
    room: &Arc<Semaphore>,
    open: &mut JoinSet<()>,
    stop: &watch::Receiver<bool>,
    mut accept: impl FnMut() -> F,
) -> Option<(OwnedSemaphorePermit, S, A)>
where
    F: Future<Output = std::io::Result<(S, A)>>,
{
    let mut stop = stop.clone();
    loop {
        while open.try_join_next().is_some() {}
        let ready = async {
            let place = Arc::clone(room).acquire_owned().await;
            (place, accept().await)
        };
        tokio::select! {
            () = stopped(&mut stop) => return None,
            (place, accepted) = ready => match (place, accepted) {
                (Ok(place), Ok((stream, from))) => return Some((place, stream, from)),
                (Err(_), _) => return None,
                (Ok(_), Err(error)) => {
                    // Out of descriptors: wait for some to be given back instead of spinning.
                    tracing::warn!(%error, "a web connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            },
        }
    }
}

/// Resolves when the server is to stop, or nobody can say so any more.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn end(mut open: JoinSet<()>) {
    let _ = timeout(STOPPING, async { while open.join_next().await.is_some() {} }).await;
}

/// Serves the requests of one connection, one after the other, until it ends or the server stops.
pub async fn connection<S>(stream: S, router: Router, peer: Peer, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let work = Work::default();
    let io = TokioIo::new(Patient::working(stream, STILL, work.clone()));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, work) = (router.clone(), work.clone());
        async move { Ok::<_, Infallible>(answer(router, peer, &work, request).await) }
    });
    let served = builder().serve_connection(io, service).with_upgrades();
    let mut served = std::pin::pin!(served);
    tokio::select! {
        _ = served.as_mut() => {}
        () = stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            let _ = timeout(STOPPING, served).await;
        }
    }
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_headers(FIELDS).max_buf_size(HEAD);
    builder
}

async fn answer(router: Router, peer: Peer, work: &Work, request: hyper::Request<Incoming>) -> Response {
    let (parts, body) = request.into_parts();
    let patience = upload::limit_of(parts.uri.path()).map_or(WHOLE_BODY, |_| LARGE_BODY);
    let mut request = Request::from_parts(parts, Body::new(slow::Timed::new(body, patience)));
    request.extensions_mut().insert(peer);
    let at_work = work.clone();
    let answered = tokio::spawn(async move { at_work.during(router.oneshot(request)).await }).await;
    work.done();
    match answered {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        // A panic in a handler is a bug; the asker gets a plain 500 and the connection goes on.
        Err(error) => {
            let mut response = ApiError::fault(&error).into_response();
            headers::put(response.headers_mut(), true);
            response
        }
    }
}

async fn accept_http(tcp: TcpListener, https_port: u16, stop: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(REDIRECTS));
    let mut open = JoinSet::new();
    loop {
        let Some((place, stream, _)) = next(&room, &mut open, &stop, || tcp.accept()).await else { break };
        open.spawn(async move {
            let _place = place;
            let service = service_fn(move |request: hyper::Request<Incoming>| async move {
                Ok::<_, Infallible>(redirect(&request, https_port))
            });
            let io = TokioIo::new(Patient::new(stream, HANDSHAKE));
            let served =
                builder().keep_alive(false).header_read_timeout(HANDSHAKE).serve_connection(io, service);
            let _ = served.await;
        });
    }
}

/// The same path over HTTPS. The host is the asker's own word, taken only when it looks like one.
fn redirect<B>(request: &hyper::Request<B>, https_port: u16) -> Response {
    let host = request.headers().get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let name = host_name(host);
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let port = if https_port == 443 { String::new() } else { format!(":{https_port}") };
    let target = name.filter(|_| path.starts_with('/')).map(|name| format!("https://{name}{port}{path}"));
    match target.and_then(|t| HeaderValue::from_str(&t).ok()) {
        Some(target) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, target)]).into_response(),
        None => (StatusCode::BAD_REQUEST, "Use https.").into_response(),
    }
}

/// The host without its port, when it is a name or an address.
fn host_name(host: &str) -> Option<&str> {
    let name = match host.strip_prefix('[') {
        Some(rest) => &host[..rest.find(']')? + 2],
        None => host.split(':').next()?,
    };
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    (!name.is_empty() && name.len() <= 253 && name.chars().all(fine)).then_some(name)
}

mod slow {
    //! A body that must arrive in time.
    use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;
    use tokio::time::{Sleep, sleep};

    pub struct Timed {
        body: Incoming,
        until: Pin<Box<Sleep>>,
    }

    impl Timed {
        pub fn new(body: Incoming, limit: Duration) -> Timed {
            Timed { body, until: Box::pin(sleep(limit)) }
        }
    }

    type Failure = Box<dyn std::error::Error + Send + Sync>;

    impl Body for Timed {
        type Data = Bytes;
        type Error = Failure;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(frame) => Poll::Ready(frame.map(|f| f.map_err(Into::into))),
                Poll::Pending => match self.until.as_mut().poll(cx) {
                    Poll::Ready(()) => Poll::Ready(Some(Err("the body took too long".into()))),
                    Poll::Pending => Poll::Pending,
                },
            }
        }
        fn is_end_stream(&self) -> bool {
            self.body.is_end_stream()
        }
        fn size_hint(&self) -> SizeHint {
            self.body.size_hint()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(host: &str, path: &str, port: u16) -> Option<String> {
        let request = hyper::Request::builder().uri(path).header("host", host).body(()).unwrap();
        let response = redirect(&request, port);
        response.headers().get(header::LOCATION).map(|v| v.to_str().unwrap().to_owned())
    }

    #[test]
    fn plain_http_is_sent_to_https_with_host_and_path_kept() {
        let to = |host, path, port| location(host, path, port).unwrap();
        assert_eq!(to("box.lan:8080", "/calls?x=1", 8443), "https://box.lan:8443/calls?x=1");
        assert_eq!(to("192.0.2.1", "/", 443), "https://192.0.2.1/");
        assert_eq!(to("[2001:db8::1]:8080", "/a", 8443), "https://[2001:db8::1]:8443/a");
    }

    #[test]
    fn a_host_that_is_none_is_not_repeated() {
        for host in ["", "a/b", "x y", "evil.example@box", "[::1", "<script>"] {
            assert_eq!(location(host, "/", 8443), None, "{host}");
        }
    }
}
