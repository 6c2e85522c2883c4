//! What is known beyond what a hook itself tells.

pub mod configured;
