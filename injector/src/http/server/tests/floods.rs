use super::*;

#[tokio::test]
async fn connections_that_were_sent_away_are_let_go_of_before_others_are_taken() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits::new(2);
    let mut crowd = Crowd::default();
    let (mut clients, handler) = (Vec::new(), Arc::new(Echo::default()));
    // Nothing runs meanwhile: accepting never waits here, as in a flood.
    for _ in 0..100 {
        if !crowd.has_room(&limits) {
            break;
        }
        clients.push(std::net::TcpStream::connect(address).unwrap());
        let (stream, _) = listener.accept().await.unwrap();
        crowd.admit(stream, limits, Arc::clone(&handler));
    }
    assert_eq!((crowd.open.len(), crowd.tasks.len()), (2, 2 + SPARE + ENDING));
    while crowd.tasks.len() > 2 {
        let ended = crowd.tasks.join_next_with_id().await.unwrap();
        crowd.forget(&ended);
    }
    assert!(crowd.has_room(&limits));
}
