//! Figures by one style.
