//! The commands that look after a gateway, run as processes on folders made for them. No gateway
//! runs here: what they do beside a running one is shown by the black-box tests of the workspace.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod posture;
#[cfg(test)]
mod program;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod tools;
