//! The proof. [`Authorized`], [`Permit`] and [`Gate`] are made in this file alone; a second place
//! would be a change of design, and a test counts the places.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use super::state::Judged;
use super::{Authorizer, Denied, Operation, Permission, Refusal};
use crate::compile::{Caller, Epoch, Snapshot};
use crate::model::Timestamp;

/// Proof that one permission was asked about one operation and answered with a sure yes.
pub struct Permit<P> {
    permission: PhantomData<P>,
}

impl<P> fmt::Debug for Permit<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}

/// Where permits are asked for: one caller before one snapshot.
pub struct Gate<'g> {
    authorizer: &'g Authorizer<'g>,
    caller: &'g Caller,
}

impl Gate<'_> {
    /// Asks for one permission of an operation.
    ///
    /// # Errors
    /// When the answer is not a sure yes.
    pub fn ask<P: Permission>(&self, operation: &P::Of) -> Result<Permit<P>, Refusal> {
        let decision = self.authorizer.decide_leg(&P::leg(operation), self.caller);
        if decision.is_allow() {
            Ok(Permit { permission: PhantomData })
        } else {
            Err(Refusal { decision })
        }
    }
}

/// Proof that the caller may do exactly this operation, judged on one snapshot.
///
/// It owns the operation that was judged, so nothing else can be run with it; it is consumed by
/// the backend; it cannot outlive its snapshot. What it cannot hold: nothing stops a service from
/// calling AWS by other means, and a backend does what it likes with what it is given. The promise
/// is that *through this crate no backend method is reachable without a decision on exactly that
/// operation*.
///
/// It cannot be forged:
/// ```compile_fail,E0451
/// use keyproof::authorize::{Authorized, Operation};
/// fn forge<O: Operation>(operation: O, permits: O::Permits) -> Authorized<'static, O> {
///     Authorized { operation, permits, epoch: Default::default(), caller: todo!(), snapshot: Default::default(), read_at: None }
/// }
/// ```
/// nor can a permit:
/// ```compile_fail,E0451
/// use keyproof::authorize::{Encrypt, Permit};
/// fn forge() -> Permit<Encrypt> {
///     Permit { permission: std::marker::PhantomData }
/// }
/// ```
/// It cannot be used twice:
/// ```compile_fail,E0382
/// use keyproof::{authorize::{Authorized, ReEncrypt}, execute::KmsBackend};
/// async fn twice<B: KmsBackend>(backend: &B, proof: Authorized<'_, ReEncrypt>) {
///     let _ = backend.re_encrypt(proof).await;
///     let _ = backend.re_encrypt(proof).await;
/// }
/// ```
/// ```compile_fail,E0382
/// use keyproof::{authorize::{Authorized, Encrypt}, execute::KmsBackend};
/// async fn twice<B: KmsBackend>(backend: &B, proof: Authorized<'_, Encrypt>) {
///     let _ = backend.encrypt(proof).await;
///     let _ = backend.encrypt(proof).await;
/// }
/// ```
/// ```compile_fail,E0382
/// use keyproof::{authorize::{Authorized, Decrypt}, execute::KmsBackend};
/// async fn twice<B: KmsBackend>(backend: &B, proof: Authorized<'_, Decrypt>) {
///     let _ = backend.decrypt(proof).await;
///     let _ = backend.decrypt(proof).await;
/// }
/// ```
/// ```compile_fail,E0382
/// use keyproof::{authorize::{Authorized, GenerateDataKey}, execute::KeyBackend};
/// async fn twice<B: KeyBackend>(backend: &B, proof: Authorized<'_, GenerateDataKey>) {
///     let _ = backend.generate_data_key(proof).await;
///     let _ = backend.generate_data_key(proof).await;
/// }
/// ```
/// ```compile_fail,E0382
/// use keyproof::{authorize::{Authorized, DescribeKey}, execute::KeyBackend};
/// async fn twice<B: KeyBackend>(backend: &B, proof: Authorized<'_, DescribeKey>) {
///     let _ = backend.describe_key(proof).await;
///     let _ = backend.describe_key(proof).await;
/// }
/// ```
/// nor copied:
/// ```compile_fail,E0277
/// use keyproof::authorize::{Authorized, ReEncrypt};
/// fn copy<'s>(proof: &Authorized<'s, ReEncrypt>) -> Authorized<'s, ReEncrypt> {
///     Authorized::clone(proof)
/// }
/// ```
/// What was judged cannot be changed afterwards:
/// ```compile_fail,E0277
/// use keyproof::authorize::{Authorized, Operation};
/// fn change<O: Operation>(mut proof: Authorized<'_, O>, other: O) {
///     *std::ops::DerefMut::deref_mut(&mut proof) = other;
/// }
/// ```
/// ```compile_fail,E0594
/// use keyproof::authorize::{Authorized, ReEncrypt};
/// fn change(mut proof: Authorized<'_, ReEncrypt>, other: ReEncrypt) {
///     *proof = other;
/// }
/// ```
/// A proof for one operation runs no other:
/// ```compile_fail,E0308
/// use keyproof::{authorize::{Authorized, Decrypt}, execute::KmsBackend};
/// async fn confuse<B: KmsBackend>(backend: &B, proof: Authorized<'_, Decrypt>) {
///     let _ = backend.re_encrypt(proof).await;
/// }
/// ```
/// ```compile_fail,E0308
/// use keyproof::{authorize::{Authorized, Encrypt}, execute::KmsBackend};
/// async fn confuse<B: KmsBackend>(backend: &B, proof: Authorized<'_, Encrypt>) {
///     let _ = backend.decrypt(proof).await;
/// }
/// ```
/// ```compile_fail,E0308
/// use keyproof::{authorize::{Authorized, ReEncrypt}, execute::KmsBackend};
/// async fn confuse<B: KmsBackend>(backend: &B, proof: Authorized<'_, ReEncrypt>) {
///     let _ = backend.encrypt(proof).await;
/// }
/// ```
/// ```compile_fail,E0308
/// use keyproof::{authorize::{Authorized, DescribeKey}, execute::KeyBackend};
/// async fn confuse<B: KeyBackend>(backend: &B, proof: Authorized<'_, DescribeKey>) {
///     let _ = backend.generate_data_key(proof).await;
/// }
/// ```
/// An operation that was not judged runs nothing:
/// ```compile_fail,E0308
/// use keyproof::{authorize::ReEncrypt, execute::KmsBackend};
/// async fn skip<B: KmsBackend>(backend: &B, operation: ReEncrypt) {
///     let _ = backend.re_encrypt(operation).await;
/// }
/// ```
/// ```compile_fail,E0308
/// use keyproof::{authorize::GenerateDataKey, execute::KeyBackend};
/// async fn skip<B: KeyBackend>(backend: &B, operation: GenerateDataKey) {
///     let _ = backend.generate_data_key(operation).await;
/// }
/// ```
/// The source side alone is not enough:
/// ```compile_fail,E0308
/// use keyproof::authorize::{Operation, Permit, ReEncrypt, ReEncryptFrom};
/// fn half(one: Permit<ReEncryptFrom>, same: Permit<ReEncryptFrom>) -> <ReEncrypt as Operation>::Permits {
///     (one, same)
/// }
/// ```
/// It does not outlive the snapshot it was judged on:
/// ```compile_fail,E0505
/// use keyproof::authorize::{Authorized, Authorizer, ReEncrypt};
/// use keyproof::compile::{Caller, Snapshot};
/// fn keep(snapshot: Snapshot, operation: ReEncrypt, caller: &Caller) {
///     let proof = Authorizer::new(&snapshot).authorize(operation, caller);
///     drop(snapshot);
///     drop(proof);
/// }
/// ```
#[must_use = "an authorized operation does nothing until it is executed"]
pub struct Authorized<'s, O: Operation> {
    operation: O,
    permits: O::Permits,
    epoch: Epoch,
    read_at: Option<Timestamp>,
    caller: &'s Caller,
    snapshot: PhantomData<&'s Snapshot>,
}

impl<'s> Authorizer<'s> {
    /// Judges an operation and, on a sure yes for every permission and a usable key, mints the
    /// proof.
    ///
    /// # Errors
    /// The operation, handed back with every side's full answer. Whether the keys are usable is
    /// judged after the permits, so that only a permitted caller learns of it.
    pub fn authorize<'p, O: Judged>(
        &self,
        operation: O,
        caller: &'p Caller,
    ) -> Result<Authorized<'p, O>, Box<Denied<O>>>
    where
        's: 'p,
    {
        let gate = Gate { authorizer: self, caller };
        let Ok(permits) = operation.permits(&gate) else {
            let sides = self.explain(&operation, caller);
            return Err(Box::new(Denied { operation, sides, fault: None }));
        };
        let snapshot = self.snapshot();
        if let Some(fault) = operation.key_fault(snapshot).or_else(|| operation.missing_data()) {
            let sides = self.explain(&operation, caller);
            return Err(Box::new(Denied { operation, sides, fault: Some(fault) }));
        }
        let epoch = snapshot.epoch();
        let read_at = oldest(&operation, snapshot);
        Ok(Authorized { operation, permits, epoch, read_at, caller, snapshot: PhantomData })
    }
}

impl<'s, O: Operation> Authorized<'s, O> {
    /// Who was judged.
    #[must_use]
    pub fn caller(&self) -> &'s Caller {
        self.caller
    }

    /// Which state of the world it was judged on.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// When the facts of its keys were read, the oldest of them; `None` when that is not known of
    /// every key.
    #[must_use]
    pub fn read_at(&self) -> Option<Timestamp> {
        self.read_at
    }

    /// The permits it holds.
    #[must_use]
    pub fn permits(&self) -> &O::Permits {
        &self.permits
    }
}

/// When the facts of the operation's keys were read.
fn oldest<O: Operation>(operation: &O, snapshot: &Snapshot) -> Option<Timestamp> {
    let mut oldest = None;
    for key in operation.keys() {
        let read = snapshot.read_at(key)?;
        oldest = Some(oldest.map_or(read, |known: Timestamp| known.min(read)));
    }
    oldest
}

impl<O: Operation> Deref for Authorized<'_, O> {
    type Target = O;

    fn deref(&self) -> &O {
        &self.operation
    }
}

impl<O: Operation + fmt::Debug> fmt::Debug for Authorized<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorized").field(&self.operation).finish()
    }
}
