//! Made by tools/weigh; not written by hand.

/// Numbers that are weighed.
pub(super) const INPUTS: usize = 18;

/// What each counts for a machine: while it talks, and in a pause.
#[rustfmt::skip]
pub(super) const WEIGHTS: [[f32; INPUTS]; 2] = [
    [-3.840, 0.374, 1.149, 0.830, 1.306, 1.317, 0.741, 0.239, 0.064, -1.141, 0.519, -0.521, 0.290, -0.698, 0.678, 0.838, 0.131, -0.241],
    [-1.883, -1.024, 1.475, 0.598, 0.912, 2.038, 1.320, -1.017, 0.005, -2.326, 0.600, -0.272, 0.053, -0.003, 0.323, 0.894, -0.023, -0.176],
];
