//! [`Session`]: a lease in etcd that is renewed for as long as the process can.

use crate::Failure;
use etcd_client::{Client, Compare, CompareOp, PutOptions, Txn, TxnOp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a lease lasts if it is not renewed.
pub const LEASE: Duration = Duration::from_secs(4);

/// The exit code of a process whose lease could not be renewed.
pub const LEASE_LOST: i32 = 3;

/// A process stops so long before its lease ends, so that no operation is under way at the end.
const MARGIN: Duration = Duration::from_secs(1);

/// A lease. etcd deletes its keys when the process stops renewing it.
///
/// The time is counted from before the request that renewed it, so this side is sure that the
/// lease has ended before etcd is.
#[derive(Clone)]
pub struct Session {
    pub lease: i64,
    ends: Arc<Mutex<Instant>>,
}

impl Session {
    /// Begins a lease and a task that renews it.
    pub async fn begin(etcd: &mut Client) -> Result<Session, Failure> {
        let asked = Instant::now();
        let seconds = i64::try_from(LEASE.as_secs())?;
        let lease = etcd.lease_grant(seconds, None).await?.id();
        let ends = Arc::new(Mutex::new(asked + LEASE));
        let session = Session { lease, ends };
        tokio::spawn(session.clone().renew(etcd.clone()));
        Ok(session)
    }

    async fn renew(self, mut etcd: Client) -> Result<(), Failure> {
        let (mut keeper, mut answers) = etcd.lease_keep_alive(self.lease).await?;
        loop {
            tokio::time::sleep(LEASE / 8).await;
            let asked = Instant::now();
            keeper.keep_alive().await?;
            match answers.message().await? {
                Some(answer) if answer.ttl() > 0 => self.set_end(asked + LEASE),
                // The lease has ended. `is_alive` finds out by itself.
                _ => return Ok(()),
            }
        }
    }

    fn set_end(&self, end: Instant) {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    fn end(&self) -> Instant {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `true` if an operation may begin, and if one that has ended counts.
    pub fn is_alive(&self) -> bool {
        Instant::now() + MARGIN < self.end()
    }

    /// Returns when the process must stop because the lease could not be renewed.
    pub async fn lost(&self) {
        while self.is_alive() {
            let left = self
                .end()
                .saturating_duration_since(Instant::now() + MARGIN);
            tokio::time::sleep(left.min(Duration::from_millis(50))).await;
        }
    }

    /// Creates `key` under this lease, unless it exists or `also` does not hold. Returns the
    /// revision at which it was created.
    pub async fn claim(
        &self,
        etcd: &mut Client,
        key: &str,
        value: Vec<u8>,
        also: Vec<Compare>,
    ) -> Result<Option<i64>, Failure> {
        let absent = Compare::create_revision(key, CompareOp::Equal, 0);
        let mut conditions = also;
        conditions.push(absent);
        let options = PutOptions::new().with_lease(self.lease);
        let put = TxnOp::put(key, value, Some(options));
        let answer = etcd
            .txn(Txn::new().when(conditions).and_then([put]))
            .await?;
        let revision = answer.header().map(etcd_client::ResponseHeader::revision);
        Ok(revision.filter(|_| answer.succeeded()))
    }
}
