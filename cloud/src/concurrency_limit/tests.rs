use std::sync::Arc;

use super::*;

const NOW: Duration = Duration::from_secs(100);

fn fill(window: &mut Window) -> Vec<InFlightRequest> {
    std::iter::from_fn(|| window.enter()).collect()
}

#[test]
fn twice_as_many_after_each_answer_until_the_host_throttles() {
    let mut window = Window::default();
    let first = fill(&mut window);
    assert_eq!(first.len(), 4);
    window.answered(first[0]);
    assert_eq!(fill(&mut window).len(), 5);
    window.answered(first[1]);
    assert_eq!(fill(&mut window).len(), 9);
}

#[test]
fn one_request_at_a_time_after_a_throttling_until_many_answers_came_in_a_row() {
    let mut window = Window::default();
    let burst = fill(&mut window);
    // All of one burst are one throttling.
    let rows: Vec<u32> = burst.iter().map(|entry| window.throttled(*entry, NOW).0).collect();
    assert_eq!(rows, [1; 4]);
    for row in 2..4 {
        let entry = fill(&mut window);
        assert_eq!(entry.len(), 1);
        assert_eq!(window.throttled(entry[0], NOW).0, row);
    }
    for _ in 0..CALM {
        let entry = fill(&mut window);
        assert_eq!(entry.len(), 1);
        window.answered(entry[0]);
    }
    assert_eq!(fill(&mut window).len(), 2);
}

#[test]
fn an_answer_takes_one_throttling_back_and_other_ends_change_nothing() {
    let mut window = Window::default();
    for _ in 0..4 {
        let entry = window.enter().unwrap();
        window.throttled(entry, NOW);
    }
    let entry = window.enter().unwrap();
    window.left(entry);
    let entry = window.enter().unwrap();
    assert!(window.enter().is_none());
    window.answered(entry);
    let entry = window.enter().unwrap();
    assert_eq!(window.throttled(entry, NOW).0, 4);
}

#[test]
fn a_caller_knows_how_long_it_is_throttled_and_what_it_has() {
    let mut window = Window::default();
    for _ in 0..3 {
        window.begin();
    }
    let mut throttled = |seconds: u64| {
        let entry = window.enter().unwrap();
        let (_, Strain { lasts, answered, open }) =
            window.throttled(entry, Duration::from_secs(seconds));
        let entry = window.enter().unwrap();
        window.answered(entry);
        window.end();
        (lasts.as_secs(), answered, open)
    };
    assert_eq!(throttled(10), (0, 0, 3));
    // An answer in between does not say that it is over.
    assert_eq!(throttled(17), (7, 1, 2));
    assert_eq!(throttled(18), (8, 2, 1));
    // The next questions have nothing to do with those before.
    window.begin();
    for (seconds, lasts) in [(20, 0), (25, 5)] {
        let entry = window.enter().unwrap();
        let (_, strain) = window.throttled(entry, Duration::from_secs(seconds));
        let lasts = Duration::from_secs(lasts);
        assert_eq!(strain, Strain { lasts, answered: 0, open: 1 });
    }
}

#[tokio::test(start_paused = true)]
async fn turns_are_waited_for_and_given_back_also_by_those_who_give_up() {
    let limit = Arc::new(ConcurrencyLimit::default());
    let (first, second) = (limit.enter().await, limit.enter().await);
    let until = Instant::now() + Duration::from_secs(3);
    for permit in [first, second] {
        permit.throttled(|row, _| Next { pause: Duration::from_secs(3) * row, last: false });
    }
    let permit = limit.enter().await;
    assert_eq!(Instant::now(), until);
    let waiting = tokio::spawn({
        let limit = Arc::clone(&limit);
        async move { limit.enter().await.answered() }
    });
    let in_vain = tokio::time::timeout(Duration::from_secs(9), limit.enter()).await;
    assert!(in_vain.is_err() && !waiting.is_finished());
    drop(permit);
    waiting.await.unwrap();
    assert!(!limit.is_throttled());
}
