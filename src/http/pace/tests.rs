use super::*;

#[test]
fn reads_rates() {
    let period = |text: &str| text.parse::<Rate>().map(|r| r.period);
    assert_eq!(period("8/s"), Ok(Duration::from_millis(125)));
    assert_eq!(period("900/h"), Ok(Duration::from_secs(4)));
    assert_eq!(period("0.5 / s"), Ok(Duration::from_secs(2)));
    for text in ["8", "8/d", "0/s", "-1/s", "x/s", "1e20/s", "0.1/h"] {
        assert!(period(text).is_err(), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn holds_everybody_and_gives_up_in_the_end() {
    let pace = Pace::new(2, None, None);
    assert!(pace.hold(Duration::from_secs(3)));
    assert!(pace.hold(Duration::from_secs(3)), "the same wait counts once");
    let start = Instant::now();
    let _permit = pace.place(5).await;
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_eq!(pace.waited(), Duration::from_secs(3));
    assert!(!pace.hold(Duration::from_secs(200)));
    assert!(!pace.hold(Duration::from_secs(u64::MAX)));
}

#[tokio::test(start_paused = true)]
async fn waits_no_longer_than_the_run_may_take() {
    let pace = Pace::new(2, None, Some(Duration::from_secs(600)));
    pace.begin(10);
    assert!(pace.hold(Duration::from_secs(500)));
    assert!(!pace.hold(Duration::from_secs(601)));
    assert!(!pace.is_late());
    tokio::time::advance(Duration::from_secs(600)).await;
    assert!(pace.is_late());
}

#[tokio::test(start_paused = true)]
async fn lasts_as_long_as_the_pace_asks_for() {
    let pace = Pace::new(2, None, None);
    pace.begin(400);
    assert_eq!(pace.lasts(), LASTS);
    pace.lock().set(Some(Duration::from_secs(1)));
    assert_eq!(pace.lasts(), Duration::from_secs(800));
}

/// Sends as fast as it may for some time to a server that takes so many a second; the share that was refused.
async fn share_refused(pace: &Pace, seconds: u64, takes: u32) -> f64 {
    let (begun, mut window, mut taken) = (Instant::now(), Instant::now(), 0);
    let (mut sent, mut refused) = (0, 0);
    while begun.elapsed() < Duration::from_secs(seconds) {
        pace.turn().await;
        let now = Instant::now();
        if now.duration_since(window) >= Duration::from_secs(1) {
            (window, taken) = (now, 0);
        }
        (sent, taken) = (sent + 1, taken + 1);
        if taken > takes {
            refused += 1;
            pace.refused(now, Duration::from_secs(1));
            pace.hold(Duration::from_secs(1));
        } else {
            pace.accepted(now);
        }
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    f64::from(refused) / f64::from(sent)
}

#[tokio::test(start_paused = true)]
async fn learns_a_limit() {
    let pace = Pace::new(2, None, None);
    share_refused(&pace, 3, 5).await;
    assert!(pace.found().is_some_and(|p| p >= Duration::from_millis(200) && p < Duration::from_millis(300)));
    let share = share_refused(&pace, 60, 5).await;
    assert!(share < 0.05, "{share}");
    assert!(pace.found().is_some_and(|p| p >= Duration::from_millis(190) && p < Duration::from_millis(300)));
}

#[tokio::test(start_paused = true)]
async fn does_not_fall_for_what_is_no_limit() {
    let pace = Pace::new(2, None, None);
    for n in 0..200 {
        pace.turn().await;
        match n % 5 {
            0 => pace.refused(Instant::now(), Duration::ZERO),
            _ => pace.accepted(Instant::now()),
        }
        tokio::time::advance(Duration::from_millis(2)).await;
    }
    assert_eq!(pace.found(), None, "every fifth is refused at any pace");
    assert!(pace.lock().period.is_none_or(|p| p < PATIENT));
}

#[tokio::test(start_paused = true)]
async fn one_crowd_is_one_sign() {
    let pace = Pace::new(2, Some("100/s".parse().unwrap()), None);
    let sent = Instant::now();
    pace.accepted(sent);
    pace.refused(sent, Duration::from_secs(1));
    let period = pace.lock().period;
    tokio::time::advance(Duration::from_millis(1)).await;
    pace.refused(sent, Duration::from_secs(1));
    let now = pace.lock().period;
    assert_eq!((now, pace.falls()), (period, 1));
}

#[tokio::test(start_paused = true)]
async fn keeps_the_rate() {
    let pace = Pace::new(16, Some("100/s".parse().unwrap()), None);
    let start = Instant::now();
    let all = futures_util::future::join_all((0..11).map(|_| pace.turn())).await;
    assert_eq!((all.len(), start.elapsed().as_millis() / 10), (11, 10), "the first goes at once");
    tokio::time::advance(Duration::from_secs(1)).await;
    let later = Instant::now();
    pace.turn().await;
    assert!(later.elapsed() < Duration::from_millis(5), "nobody waits after some silence");
    pace.turn().await;
    assert!(later.elapsed() >= Duration::from_millis(10), "and silence saves nothing up");
}

#[tokio::test(start_paused = true)]
async fn makes_room_for_what_does_no_harm() {
    let pace = Pace::new(16, None, None);
    let (second, limit) = (Duration::from_secs(1), Duration::from_secs(10));
    pace.answered(second);
    pace.limit_concurrency(Duration::from_millis(20), limit);
    assert_eq!(pace.places.available_permits(), 16, "a fast server");
    pace.limit_concurrency(second, limit);
    assert_eq!(pace.places.available_permits(), 5);
    let burst = pace.place(8).await.unwrap();
    assert_eq!(burst.num_permits(), 5, "a burst takes all there is");
    drop(burst);
    pace.answered(3 * second);
    assert_eq!(pace.places.available_permits(), 5, "it had to wait for others");
    for _ in 0..20 {
        pace.answered(second);
    }
    assert_eq!(pace.places.available_permits(), 16, "what is allowed");
    pace.limit_concurrency(Duration::from_secs(30), limit);
    assert_eq!(pace.places.available_permits(), 1);
}

#[tokio::test(start_paused = true)]
async fn makes_no_room_at_a_server_that_serves_one_after_the_other() {
    let pace = Pace::new(16, None, None);
    let alone = Duration::from_secs(1);
    pace.limit_concurrency(alone, Duration::from_secs(10));
    for _ in 0..20 {
        // Two at once: the first is served at once, the second has to wait for it.
        tokio::time::advance(alone).await;
        pace.answered(alone);
        tokio::time::advance(alone).await;
        pace.answered(2 * alone);
    }
    assert_eq!(pace.places.available_permits(), 5);
}

#[tokio::test(start_paused = true)]
async fn finds_out_whether_a_slow_server_serves_two_at_once() {
    let (alone, limit) = (Duration::from_secs(3), Duration::from_secs(10));
    for (most, second) in [(2, 2 * alone), (16, alone)] {
        let pace = Pace::new(16, None, None);
        pace.limit_concurrency(alone, limit);
        assert_eq!(pace.places.available_permits(), 1);
        for _ in 0..20 {
            tokio::time::advance(alone).await;
            pace.answered(alone);
            tokio::time::advance(second - alone).await;
            pace.answered(second);
        }
        assert_eq!(pace.places.available_permits(), most);
    }
    // Where the second would not be in time, it is not tried.
    let pace = Pace::new(16, None, None);
    pace.limit_concurrency(2 * alone, limit);
    pace.answered(2 * alone);
    assert_eq!(pace.places.available_permits(), 1);
}

#[test]
fn delays_grow() {
    let all: Vec<Duration> = delays(Duration::from_millis(100)).take(12).collect();
    assert!(all[0] >= Duration::from_millis(100) && all[0] <= Duration::from_millis(200));
    assert!(all[11] >= Duration::from_secs(30), "{all:?}");
}
