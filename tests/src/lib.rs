//! Runs the sensor as its users do and looks at what comes out.
