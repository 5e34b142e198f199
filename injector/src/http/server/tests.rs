use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;

mod floods;

/// Says what it was asked; `/slow` waits until it is let go.
#[derive(Default)]
struct Echo {
    asked: AtomicUsize,
    gate: Option<Semaphore>,
}

impl Handler for Echo {
    async fn answer(&self, asked: HttpRequest) -> Answer {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if let (Some(gate), "/slow") = (&self.gate, asked.head.uri.path()) {
            gate.acquire().await.unwrap().forget();
        }
        let status = if asked.crowded { 429 } else { 200 };
        let text = format!("{} {} {}", asked.head.method, asked.head.uri, asked.has_body);
        let answer = Answer::text(StatusCode::from_u16(status).unwrap(), text);
        if asked.head.uri.path() == "/anybody" { answer.for_anybody() } else { answer }
    }
}

async fn serving(limits: Limits, handler: Echo) -> (SocketAddr, Arc<Echo>, JoinSet<Infallible>) {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, handler) = (listener.local_addr().unwrap(), Arc::new(handler));
    let mut tasks = JoinSet::new();
    let shared = Arc::clone(&handler);
    tasks.spawn(async move { serve(&[listener], limits, shared).await });
    (address, handler, tasks)
}

/// All that comes until the server ends the connection.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

/// One answer on a connection that stays.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).ends_with("false") {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
    }
    String::from_utf8(bytes).unwrap()
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

#[tokio::test]
async fn one_connection_asks_many_times() {
    let (address, handler, _tasks) = serving(Limits::new(10), Echo::default()).await;
    let mut stream = connect(address).await;
    for path in ["/a", "/b?c=d"] {
        let answer = ask(&mut stream, path).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("content-type: text/plain"), "{answer}");
        assert!(answer.ends_with(&format!("\r\n\r\nGET {path} false")), "{answer}");
    }
    assert_eq!(handler.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_body_is_announced_to_the_handler_not_read_and_ends_the_connection() {
    let (address, _, _tasks) = serving(Limits::new(10), Echo::default()).await;
    for head in ["Content-Length: 1000000000", "Transfer-Encoding: chunked"] {
        let mut stream = connect(address).await;
        let request = format!("POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(
            answer.contains("connection: close") && answer.ends_with("POST / true"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn heads_that_are_too_long_or_no_http_are_refused_before_the_handler() {
    let (address, handler, _tasks) = serving(Limits::new(10), Echo::default()).await;
    let long = "x".repeat(20_000);
    for (request, status) in [
        (format!("GET / HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n"), "431"),
        (format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(65)), "431"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
    ] {
        let mut stream = connect(address).await;
        // What is refused early may not be taken to its end.
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    assert_eq!(handler.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn connections_beyond_those_that_are_answered_hear_so_and_room_comes_back() {
    let gate = Some(Semaphore::new(0));
    let (address, handler, _tasks) =
        serving(Limits::new(2), Echo { gate, ..Echo::default() }).await;
    let (mut one, mut two) = (connect(address).await, connect(address).await);
    for stream in [&mut one, &mut two] {
        stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    }
    until(|| handler.asked.load(Ordering::SeqCst) == 2).await;
    let mut three = connect(address).await;
    three.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let answer = rest(&mut three).await;
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("connection: close"), "{answer}");
    drop(one);
    // Its end is noticed some time.
    loop {
        let mut again = connect(address).await;
        again.write_all(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n").await.unwrap();
        if rest(&mut again).await.starts_with("HTTP/1.0 200") {
            break;
        }
    }
}

/// The kernel counts what it keeps for our clients as memory of our container's.
#[tokio::test]
async fn a_client_that_takes_nothing_leaves_little_in_the_kernel() {
    let limits = Limits { idle: Duration::from_millis(200), ..Limits::new(4) };
    let (address, handler, _tasks) = serving(limits, Echo::default()).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let (mut reader, mut writer) = socket.connect(address).await.unwrap().into_split();
    let request = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(4000));
    // It is closed long before.
    for _ in 0..2000 {
        if writer.write_all(request.as_bytes()).await.is_err() {
            break;
        }
    }
    assert!(rest(&mut reader).await.len() < 60_000);
    let answered = handler.asked.load(Ordering::SeqCst);
    assert!((1..=25).contains(&answered), "{answered} answers of 4 KB");
}

#[tokio::test]
async fn what_a_client_has_not_taken_goes_with_its_connection() {
    let limits = Limits { idle: Duration::from_millis(200), ..Limits::new(4) };
    let (address, _, _tasks) = serving(limits, Echo::default()).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let request = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(3000));
    stream.write_all(request.repeat(4).as_bytes()).await.unwrap();
    let reset = until(|| stream.take_error().unwrap().is_some());
    timeout(Duration::from_secs(10), reset).await.expect("the kernel keeps it for the client");
}

#[tokio::test]
async fn a_last_answer_arrives_whole_however_slowly_it_is_taken() {
    let (address, handler, _tasks) = serving(Limits::new(4), Echo::default()).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let target = "x".repeat(7000);
    let request = format!("GET /{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    until(|| handler.asked.load(Ordering::SeqCst) == 1).await;
    // It has been given to the kernel by then.
    for _ in 0..100 {
        yield_now().await;
    }
    assert!(rest(&mut stream).await.ends_with(&format!("GET /{target} false")));
}

/// Lets others go on until it is so.
async fn until(is: impl Fn() -> bool) {
    while !is() {
        tokio::task::yield_now().await;
    }
}

/// Idle ones, half heads, and both on connections that were answered before.
#[tokio::test]
async fn connections_that_ask_for_nothing_keep_nobody_from_an_answer() {
    let (address, _, _tasks) = serving(Limits::new(4), Echo::default()).await;
    let mut held = Vec::new();
    for index in 0..200 {
        let mut stream = connect(address).await;
        match index % 4 {
            0 => {}
            1 => stream.write_all(HALF).await.unwrap(),
            2 => drop(ask(&mut stream, "/").await),
            _ => {
                ask(&mut stream, "/").await;
                stream.write_all(HALF).await.unwrap();
            }
        }
        held.push(stream);
    }
    for _ in 0..20 {
        let mut stream = connect(address).await;
        let answer = ask(&mut stream, "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn who_never_asked_makes_way_first_then_who_was_silent_longest() {
    let (address, _, _tasks) = serving(Limits::new(3), Echo::default()).await;
    let (mut first, mut second) = (connect(address).await, connect(address).await);
    ask(&mut first, "/").await;
    ask(&mut second, "/").await;
    let mut silent = connect(address).await;
    silent.write_all(HALF).await.unwrap();
    let mut third = connect(address).await;
    ask(&mut third, "/").await;
    assert_eq!(rest(&mut silent).await, "");
    let mut fourth = connect(address).await;
    ask(&mut fourth, "/").await;
    assert_eq!(rest(&mut first).await, "");
    for stream in [&mut second, &mut third, &mut fourth] {
        ask(stream, "/again").await;
    }
}

#[tokio::test]
async fn who_has_asked_is_answered_before_another_takes_the_place() {
    let (address, _, _tasks) = serving(Limits::new(1), Echo::default()).await;
    let mut asks = connect(address).await;
    ask(&mut asks, "/").await;
    // The server runs on this thread, and sees both at once.
    let _newcomer = std::net::TcpStream::connect(address).unwrap();
    let request = b"GET /again HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(asks.try_write(request).unwrap(), request.len());
    let answer = rest(&mut asks).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn who_is_being_answered_is_not_sent_away() {
    let gate = Some(Semaphore::new(0));
    let (address, handler, _tasks) =
        serving(Limits::new(2), Echo { gate, ..Echo::default() }).await;
    let mut slow = connect(address).await;
    slow.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    until(|| handler.asked.load(Ordering::SeqCst) == 1).await;
    for _ in 0..50 {
        let mut stream = connect(address).await;
        ask(&mut stream, "/").await;
    }
    handler.gate.as_ref().unwrap().add_permits(1);
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).ends_with("GET /slow false") {
        assert_ne!(slow.read_buf(&mut bytes).await.unwrap(), 0);
    }
}

/// As many as are taken are being answered, and more wait: the first answer makes room for one.
#[tokio::test]
async fn an_answer_makes_room_for_who_waits_outside() {
    let gate = Some(Semaphore::new(0));
    let (address, handler, _tasks) =
        serving(Limits::new(1), Echo { gate, ..Echo::default() }).await;
    let mut slow = Vec::new();
    for count in 1..=SPARE + 1 {
        let mut stream = connect(address).await;
        stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        slow.push(stream);
        until(|| handler.asked.load(Ordering::SeqCst) == count).await;
    }
    let mut waiting = connect(address).await;
    waiting.write_all(b"GET /ping HTTP/1.0\r\nHost: x\r\n\r\n").await.unwrap();
    handler.gate.as_ref().unwrap().add_permits(1);
    assert!(rest(&mut waiting).await.ends_with("GET /ping false"));
}

/// A connection in virtual time.
fn talking(limits: Limits, handler: Echo) -> (DuplexStream, Arc<Echo>, JoinHandle<()>) {
    let (client, server) = duplex(64 * 1024);
    let handler = Arc::new(handler);
    let shared = Arc::clone(&handler);
    let deadlines = Deadlines::new(Arc::default());
    let talk = tokio::spawn(async move { talk(server, false, limits, shared, deadlines).await });
    (client, handler, talk)
}

/// Whether that long has passed since, to what a timer can tell.
#[track_caller]
fn lasted(since: Instant, seconds: u64) {
    let elapsed = since.elapsed();
    let expected = Duration::from_secs(seconds);
    assert!((expected..expected + Duration::from_millis(10)).contains(&elapsed), "{elapsed:?}");
}

const HALF: &[u8] = b"GET /half HTTP/1.1\r\nHost: x\r\n";

#[tokio::test(start_paused = true)]
async fn a_first_request_has_ten_seconds_whatever_comes_meanwhile() {
    for heads in [&[][..], &[HALF], &[HALF, b"X: y\r\n"]] {
        let (mut client, handler, _task) = talking(Limits::new(10), Echo::default());
        let begun = Instant::now();
        for bytes in heads {
            client.write_all(bytes).await.unwrap();
            sleep(Duration::from_secs(4)).await;
        }
        assert_eq!(rest(&mut client).await, "");
        lasted(begun, 10);
        assert_eq!(handler.asked.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn after_an_answer_a_connection_has_its_idle_time_and_no_more() {
    for idle in [5, 120] {
        let limits = Limits { idle: Duration::from_secs(idle), ..Limits::new(10) };
        let (mut client, ..) = talking(limits, Echo::default());
        for path in ["/a", "/b"] {
            sleep(Duration::from_secs(3)).await;
            ask(&mut client, path).await;
        }
        let answered = Instant::now();
        assert_eq!(rest(&mut client).await, "");
        lasted(answered, idle);
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_has_begun_has_ten_seconds_on_a_kept_connection_too() {
    let (mut client, ..) = talking(Limits::new(10), Echo::default());
    ask(&mut client, "/").await;
    sleep(Duration::from_secs(60)).await;
    let begun = Instant::now();
    for bytes in [HALF, b"X: y\r\n"] {
        client.write_all(bytes).await.unwrap();
        sleep(Duration::from_secs(4)).await;
    }
    assert_eq!(rest(&mut client).await, "");
    lasted(begun, 10);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_answer_is_not_sent_away() {
    let gate = Some(Semaphore::new(0));
    let limits = Limits { idle: Duration::from_secs(5), ..Limits::new(10) };
    let (mut client, handler, _task) = talking(limits, Echo { gate, ..Echo::default() });
    client.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    sleep(Duration::from_secs(50)).await;
    handler.gate.as_ref().unwrap().add_permits(1);
    let answered = Instant::now();
    let answer = rest(&mut client).await;
    assert!(answer.ends_with("GET /slow false"), "{answer}");
    lasted(answered, 5);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_before_its_answer_gives_its_place_back() {
    let gate = Some(Semaphore::new(0));
    let (mut client, _, task) = talking(Limits::new(10), Echo { gate, ..Echo::default() });
    client.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    sleep(Duration::from_secs(3)).await;
    let left = Instant::now();
    drop(client);
    task.await.unwrap();
    lasted(left, 0);
}

#[tokio::test]
async fn an_answer_has_its_time_and_no_more() {
    let quick = Limits { answer: Duration::from_millis(20), ..Limits::new(10) };
    let gate = Some(Semaphore::new(0));
    let (address, _, _tasks) = serving(quick, Echo { gate, ..Echo::default() }).await;
    let mut stream = connect(address).await;
    stream.write_all(b"GET /slow HTTP/1.0\r\nHost: x\r\n\r\n").await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.0 504"), "{answer}");
}

#[tokio::test]
async fn the_owner_ends_everything() {
    let gate = Some(Semaphore::new(0));
    let (address, _, mut tasks) = serving(Limits::new(10), Echo { gate, ..Echo::default() }).await;
    let (mut idle, mut waiting) = (connect(address).await, connect(address).await);
    ask(&mut idle, "/").await;
    waiting.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    tasks.shutdown().await;
    assert_eq!((rest(&mut idle).await, rest(&mut waiting).await), (String::new(), String::new()));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn who_got_what_anybody_gets_makes_way_before_one_that_is_about_to_ask() {
    let (address, _, _tasks) = serving(Limits::new(2), Echo::default()).await;
    let mut stranger = connect(address).await;
    ask(&mut stranger, "/anybody").await;
    let mut slow = connect(address).await;
    let mut other = connect(address).await;
    assert!(ask(&mut other, "/").await.contains("200 OK"));
    assert!(ask(&mut slow, "/").await.contains("200 OK"));
    assert_eq!(rest(&mut stranger).await, "");
}

#[tokio::test]
async fn who_was_served_stays_where_a_younger_stranger_makes_way() {
    let (address, _, _tasks) = serving(Limits::new(2), Echo::default()).await;
    let mut served = connect(address).await;
    ask(&mut served, "/").await;
    let mut stranger = connect(address).await;
    ask(&mut stranger, "/anybody").await;
    let mut other = connect(address).await;
    assert!(ask(&mut other, "/").await.contains("200 OK"));
    assert_eq!(rest(&mut stranger).await, "");
    assert!(ask(&mut served, "/").await.contains("200 OK"));
}
