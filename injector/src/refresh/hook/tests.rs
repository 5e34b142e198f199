use std::cell::{Cell, RefCell};

use tokio::time::Instant;

use super::*;

fn changes() -> Changes {
    Changes::new(Some("g0".to_owned()), None)
}

fn show(changes: &Changes, number: u32) {
    assert!(changes.show(Some(format!("g{number}"))));
}

/// Runs `script` beside the hook; returns what was told when, in seconds, and what was counted.
async fn story(
    changes: &Changes,
    tell: impl AsyncFn(u32) -> Result<(), HookError>,
    script: impl Future<Output = ()>,
) -> (Vec<(u64, String)>, Vec<HookOutcome>) {
    let (began, calls) = (Instant::now(), Cell::new(0));
    let (told, counted) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let call = async |generation: &str| {
        told.borrow_mut().push((began.elapsed().as_secs(), generation.to_owned()));
        calls.set(calls.get() + 1);
        tell(calls.get()).await
    };
    tokio::select! {
        _ = follow(changes, call, || {}, |outcome| counted.borrow_mut().push(outcome)) => {}
        () = script => {}
    }
    (told.into_inner(), counted.into_inner())
}

fn seconds(seconds: u64) -> tokio::time::Sleep {
    sleep(Duration::from_secs(seconds))
}

fn generations(told: &[(u64, String)]) -> Vec<&str> {
    told.iter().map(|(_, generation)| generation.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_the_application_started_with_is_no_change_and_each_change_is_told_at_once() {
    let changes = changes();
    let script = async {
        seconds(10).await;
        show(&changes, 1);
        seconds(10).await;
        show(&changes, 2);
        seconds(10).await;
    };
    let (told, counted) = story(&changes, async |_| Ok(()), script).await;
    assert_eq!(told, [(10, "g1".to_owned()), (20, "g2".to_owned())]);
    assert_eq!(counted, [HookOutcome::Delivered, HookOutcome::Delivered]);
    assert_eq!(changes.notified_generation(), "g2");
    // The same again is no change.
    assert!(!changes.show(Some("g2".to_owned())) && !changes.show(None));
}

#[tokio::test(start_paused = true)]
async fn many_changes_while_one_is_told_are_one_more() {
    let changes = changes();
    let slow = async |_| {
        seconds(3).await;
        Ok(())
    };
    let script = async {
        for number in 1..=1000 {
            show(&changes, number);
            sleep(Duration::from_millis(2)).await;
        }
        seconds(30).await;
    };
    let (told, _) = story(&changes, slow, script).await;
    assert_eq!(generations(&told), ["g1", "g1000"]);
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_changes_is_told_once_a_second() {
    let changes = changes();
    let script = async {
        for number in 1..=1000 {
            show(&changes, number);
            sleep(Duration::from_millis(10)).await;
        }
        seconds(30).await;
    };
    let (told, _) = story(&changes, async |_| Ok(()), script).await;
    assert!(told.len() <= 12, "{told:?}");
    assert_eq!(generations(&told).last(), Some(&"g1000"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_tried_again_and_given_up_until_the_next_change() {
    let changes = changes();
    let script = async {
        show(&changes, 1);
        seconds(3600).await;
        show(&changes, 2);
        seconds(3600).await;
    };
    let tell = async |call: u32| if call <= 6 { Err(HookError::TooLate) } else { Ok(()) };
    let (told, counted) = story(&changes, tell, script).await;
    assert_eq!(generations(&told), ["g1", "g1", "g1", "g1", "g1", "g2", "g2"]);
    let mut expected = vec![HookOutcome::Failed; 5];
    expected.extend([HookOutcome::GivenUp, HookOutcome::Failed, HookOutcome::Delivered]);
    assert_eq!(counted, expected);
    // Never at once, and all of it in less than a minute.
    let times: Vec<u64> = told.iter().take(5).map(|(at, _)| *at).collect();
    assert!(times[1] >= 1 && times[4] >= 14 && times[4] <= 60, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_try_has_its_time_and_no_more() {
    let changes = changes();
    let never = async |_| {
        std::future::pending::<()>().await;
        Ok(())
    };
    let script = async {
        show(&changes, 1);
        seconds(3600).await;
    };
    let (told, counted) = story(&changes, never, script).await;
    assert_eq!((told.len(), counted.last()), (5, Some(&HookOutcome::GivenUp)));
    assert!(told[1].0 >= 6, "{told:?}");
    // Whoever starts again still owes it.
    assert_eq!(changes.notified_generation(), "g0");
}

#[tokio::test(start_paused = true)]
async fn what_a_process_before_owed_is_told() {
    let changes = Changes::new(Some("g7".to_owned()), Some("g6".to_owned()));
    let (told, _) = story(&changes, async |_| Ok(()), seconds(10)).await;
    assert_eq!(generations(&told), ["g7"]);
}
