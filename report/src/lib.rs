//! From datasets to tables, figures, `results.json` and the HTML report.
//!
//! [`load`] turns stored rows into the samples that `analysis` takes, [`results`] computes what is to be said of them,
//! [`evidence`] and [`claims`] what that says of the study's recommendations, [`figures`] draws it, [`html`] writes the page,
//! [`paper`] gathers what the paper reads. The notebooks use the same functions.
#![forbid(unsafe_code)]

pub mod calibration;
pub mod claims;
mod course;
pub mod evidence;
pub mod exhibits;
pub mod facts;
pub mod figures;
pub mod fit;
pub mod further;
pub mod html;
pub mod isolated;
pub mod layers;
pub mod load;
pub mod measured;
pub mod measured_page;
pub mod observed;
pub mod paper;
pub mod reproduction;
pub mod results;
pub mod simulate;
pub mod study;
pub mod table;
mod truth;
pub mod write;
