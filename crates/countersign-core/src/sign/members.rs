//! Carriers that are members of a JSON object which a capture encodes: the object has to be made before the capture
//! that holds it can be written.
//!
//! Deliberately absent: objects in objects. A capture is read out of the message itself.

use super::{Draft, SignError, Signing, fits, json_member, stopped, wrapped};
use crate::plan::run::{Scratch, run};
use crate::scheme::References;
use crate::scheme::model::{Carrier, FieldType, Wrap};

impl Signing<'_> {
    /// Sets the captures that encode a JSON object whose members are carriers.
    pub(super) fn assemble(&self, draft: &Draft, scratch: &mut Scratch) -> Result<(), SignError> {
        for (id, field) in self.message.fields.iter().enumerate() {
            let members = || {
                let carriers = self.message.carriers.iter().zip(&self.plan.writes);
                carriers.filter(|(carrier, _)| carrier.within == Some(id))
            };
            if scratch.captures.get(id).is_some() || members().next().is_none() {
                continue;
            }
            let mut object = b"{}".to_vec();
            for (carrier, program) in members() {
                let mark = scratch.out.len();
                let whole = self.with(draft, |env| run(env, scratch, program)).map_err(stopped)?;
                let value = wrapped(carrier.wrap, scratch.out.get(mark..).unwrap_or_default().to_vec());
                scratch.out.truncate(mark);
                if whole {
                    json_member(&mut object, &carrier.written, &value)
                        .ok_or_else(|| SignError::CarrierMalformed { carrier: carrier.written.clone() })?;
                } else if !carrier.optional {
                    return Err(self.unwritten(carrier, scratch));
                }
            }
            let by = if field.kind == FieldType::B64Url { Wrap::B64Url } else { Wrap::B64 };
            let value = wrapped(Some(by), object);
            if !fits(self.message, id, &value) {
                return Err(SignError::ValueUnfit { name: field.name.clone() });
            }
            scratch.captures.set(id, &value);
        }
        Ok(())
    }

    /// What a carrier lacks that cannot be written.
    pub(super) fn unwritten(&self, carrier: &Carrier, scratch: &Scratch) -> SignError {
        let mut ids = Vec::new();
        References::captures(&carrier.text, &mut ids);
        let lacking = ids.into_iter().find(|id| {
            scratch.captures.get(*id).is_none() && self.message.fields.get(*id).is_some_and(|field| !field.optional)
        });
        match lacking.and_then(|id| self.message.fields.get(id)) {
            Some(field) => SignError::VarNeeded { name: field.name.clone() },
            None => SignError::Missing { step: Some(carrier.span) },
        }
    }
}
