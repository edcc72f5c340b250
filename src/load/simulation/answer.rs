//! What a simulation says, as a line of JSON.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::{Simulation, line};
use crate::authorize::{Side, SideAnswer};
use crate::evaluate::{Explanation, Layer};
use crate::load::LoadError;
use crate::model::{Action, Decision, Readings};
use crate::report::reasons;

/// The answer to a [`Simulation`].
#[derive(Clone, Debug)]
pub struct SimulationAnswer {
    /// The question's name.
    pub id: Option<Value>,
    /// The answer with its reasons; what was wrong with the question otherwise.
    pub outcome: Result<SideAnswer, String>,
    readings: Vec<(&'static str, &'static str)>,
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a Option<Value>,
    decision: &'static str,
    by: Option<&'static str>,
    reasons: Vec<String>,
    readings: Vec<String>,
}

impl SimulationAnswer {
    pub(super) fn new(
        id: Option<Value>,
        action: Action,
        resource: &str,
        explanation: Explanation,
        readings: &Readings,
    ) -> Self {
        let used = explanation.trace.readings.iter();
        Self {
            id,
            readings: used.map(|reading| (reading.name(), readings.value(*reading))).collect(),
            outcome: Ok(SideAnswer {
                side: Side::Key,
                action,
                resource: resource.into(),
                explanation,
            }),
        }
    }

    /// The answer to a line of a batch; an error where it is no question.
    #[must_use]
    pub fn to_line(
        line: &[u8],
        file: &Path,
        number: usize,
        fill: bool,
        readings: &Readings,
    ) -> Self {
        let Ok(text) = std::str::from_utf8(line) else {
            return Self::refused(file, number, "is not UTF-8 text");
        };
        match Simulation::from_json(text.trim_end(), file, number) {
            Ok(mut simulation) => {
                if fill {
                    simulation.fill();
                }
                simulation.answer(readings)
            }
            Err(error) => {
                let id = Some(line::id_of(text).unwrap_or_else(|| number.into()));
                Self { id, outcome: Err(error.to_string()), readings: Vec::new() }
            }
        }
    }

    /// The answer to a line that cannot be read at all.
    #[must_use]
    pub fn refused(file: &Path, number: usize, message: &str) -> Self {
        let error = LoadError::line(file, number, message);
        Self { id: Some(number.into()), outcome: Err(error.to_string()), readings: Vec::new() }
    }

    /// `Allow`, `ExplicitDeny`, `ImplicitDeny`, `Undetermined` or `Error`.
    #[must_use]
    pub fn decision(&self) -> &'static str {
        match &self.outcome {
            Err(_) => "Error",
            Ok(side) => match side.explanation.decision {
                Decision::Allow => "Allow",
                Decision::ExplicitDeny => "ExplicitDeny",
                Decision::ImplicitDeny => "ImplicitDeny",
                Decision::Undetermined => "Undetermined",
            },
        }
    }

    /// The type of policy that decided, the first in AWS's order: `identity`, `resource`,
    /// `boundary`, `session`, `scp`, `rcp`, `vpce`, `grant`, or `service` for KMS itself.
    #[must_use]
    pub fn by(&self) -> Option<&'static str> {
        let side = self.outcome.as_ref().ok()?;
        side.explanation.by.first().map(|layer| match layer {
            Layer::Key => "resource",
            Layer::Endpoint => "vpce",
            other => other.as_str(),
        })
    }

    /// One line of JSON, without its end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let line = Line {
            id: &self.id,
            decision: self.decision(),
            by: self.by(),
            reasons: match &self.outcome {
                Ok(side) => reasons(side).iter().map(ToString::to_string).collect(),
                Err(error) => error.lines().map(str::to_owned).collect(),
            },
            readings: self.readings.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        };
        serde_json::to_string(&line).unwrap_or_default()
    }
}
