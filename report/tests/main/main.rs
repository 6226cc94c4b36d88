//! The binary `report` and its library on made-up runs whose effects are known.

mod calibration;
mod claims;
mod effects;
mod exhibits;
mod grids;
mod layers;
mod made_up_run;
mod page;
mod program;
mod reproduction;
mod simulations;
