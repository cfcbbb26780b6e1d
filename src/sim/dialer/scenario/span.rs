//! A time by chance: a mean and a form, or values that were measured. What a scenario's file says of every duration.
use serde::Deserialize;

/// Standard deviation over mean where none is given.
const CV: f64 = 0.5;

/// A time by chance, in seconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a time such as { mean_s = 22, cv = 0.6 }")]
pub struct Span {
    /// Mean, in seconds; no number when `values_s` are given.
    #[serde(default = "none")]
    pub mean_s: f64,
    /// Standard deviation over mean.
    #[serde(default = "usual")]
    pub cv: f64,
    /// How the times are spread around the mean.
    #[serde(default)]
    pub form: Shape,
    /// Measured times: each is drawn as often as the others.
    #[serde(default)]
    pub values_s: Vec<f64>,
}

/// How times are spread around their mean.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// As if each second ended it with the same chance; `cv` is one.
    Exponential,
    /// Always the mean.
    Fixed,
    /// What most durations of calls look like.
    #[default]
    Gamma,
    /// With a longer tail.
    Lognormal,
    /// Anything between two ends alike; `cv` at most 0.57.
    Uniform,
}

/// A kind of conversation.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "TalkAsWritten")]
pub struct Talk {
    /// How many of the conversations, relative to the other kinds.
    pub share: f64,
    /// How long they are.
    pub span: Span,
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a kind of conversation such as { share = 0.3, mean_s = 25, cv = 0.7 }"
)]
struct TalkAsWritten {
    #[serde(default = "one")]
    share: f64,
    #[serde(default = "none")]
    mean_s: f64,
    #[serde(default = "usual")]
    cv: f64,
    #[serde(default)]
    form: Shape,
    #[serde(default)]
    values_s: Vec<f64>,
}

impl From<TalkAsWritten> for Talk {
    fn from(w: TalkAsWritten) -> Talk {
        Talk { share: w.share, span: Span { mean_s: w.mean_s, cv: w.cv, form: w.form, values_s: w.values_s } }
    }
}

fn one() -> f64 {
    1.0
}

fn none() -> f64 {
    f64::NAN
}

fn usual() -> f64 {
    CV
}

impl Span {
    /// Gamma distributed; `cv` is the standard deviation over the mean.
    #[must_use]
    pub fn gamma(mean_s: f64, cv: f64) -> Span {
        Span { mean_s, cv, form: Shape::Gamma, values_s: vec![] }
    }

    /// What cannot be: the field's ending, and the sentence.
    pub(super) fn problems(&self, longest: f64) -> Vec<(&'static str, String)> {
        if !self.values_s.is_empty() {
            return self.problems_of_values(longest);
        }
        let mut found = vec![];
        if self.mean_s.is_nan() {
            found.push((".mean_s", "is missing; give it in seconds, or measured times as values_s".into()));
        } else if !(0.0..=longest).contains(&self.mean_s) {
            found.push((".mean_s", format!("is {}; it goes from 0 to {longest}", self.mean_s)));
        }
        let most = if self.form == Shape::Uniform { 0.57 } else { 3.0 };
        if !(0.05..=most).contains(&self.cv) {
            found.push((".cv", format!("is {}; it goes from 0.05 to {most}", self.cv)));
        }
        found
    }

    fn problems_of_values(&self, longest: f64) -> Vec<(&'static str, String)> {
        const VALUES_MAX: usize = 10_000;
        let mut found = vec![];
        if !self.mean_s.is_nan() {
            found.push((".values_s", "stands beside mean_s; give one of them".into()));
        }
        if self.values_s.len() > VALUES_MAX {
            found.push((".values_s", format!("has {} times; at most {VALUES_MAX}", self.values_s.len())));
        }
        if let Some(odd) = self.values_s.iter().find(|value| !(0.0..=longest).contains(*value)) {
            found.push((".values_s", format!("has {odd}; each goes from 0 to {longest}")));
        }
        found
    }
}
