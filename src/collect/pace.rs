//! How fast requests are sent.

use std::time::Duration;

use tokio::time::Instant;

/// At most so many requests a second, fewer when AWS says that it is too many.
#[derive(Debug)]
pub struct Pace {
    between: Duration,
    next: Option<Instant>,
}

impl Pace {
    /// At most this many requests a second; at least one.
    #[must_use]
    pub fn per_second(requests: u32) -> Self {
        Self { between: Duration::from_secs(1) / requests.max(1), next: None }
    }

    /// Waits until the next request may be sent.
    pub(super) async fn wait(&mut self) {
        let now = Instant::now();
        let at = self.next.map_or(now, |next| next.max(now));
        tokio::time::sleep_until(at).await;
        self.next = Some(at + self.between);
    }

    /// Half as many from now on, and none for the next moment.
    pub(super) fn slow_down(&mut self, tries: u32) {
        self.between = (self.between * 2).clamp(Duration::from_millis(1), Duration::from_secs(1));
        self.next = Some(Instant::now() + self.between * 2_u32.pow(tries.min(5)));
    }
}
