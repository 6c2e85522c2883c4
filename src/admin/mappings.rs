//! The mapping files in force, and what is wrong with those that are not.

use super::Desk;
use super::access::Reader;
use super::bare::Bare;
use crate::rules::Rules;
use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The mappings and overlays in force, and what was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MappingsShown {
    /// The mappings, by the names of the forges and of the files.
    pub mappings: Vec<MappingShown>,
    /// The overlays, by name.
    pub overlays: Vec<OverlayShown>,
    /// What is wrong with the mapping files on the disk, a line each, while others are in force; empty when they are in force.
    pub refused: Vec<String>,
    /// What is wrong with the configuration on the disk, in the same way.
    pub configuration_refused: Vec<String>,
    /// What is odd about the mapping files in force, and about the configuration beside them.
    pub warnings: Vec<String>,
}

/// A mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MappingShown {
    /// What logs and deliveries call it.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Whether that comes with the program.
    pub built_in: bool,
    /// The SHA-256 of its files.
    pub sha256: String,
    /// The forge that hooks come from.
    pub from: String,
    /// The forge whose format they get.
    pub to: String,
    /// The events that it is for.
    pub events: Vec<String>,
    /// Why they have no counterpart, where they have none.
    pub ignored: Option<String>,
}

/// An overlay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OverlayShown {
    /// What destinations call it.
    pub name: String,
    /// Its file.
    pub file: String,
    /// Whether that comes with the program.
    pub built_in: bool,
    /// The SHA-256 of its file.
    pub sha256: String,
    /// The events that it is for.
    pub events: Vec<String>,
}

/// The mappings in force with their hashes, and the errors of a refused reload.
#[utoipa::path(
    get, path = "/api/v1/mappings", tag = "state",
    responses((status = 200, description = "The mappings", body = MappingsShown)),
)]
pub(super) async fn mappings(_: Reader, _: Bare, desk: Data<Desk>) -> Json<MappingsShown> {
    let rules = desk.rules.load();
    let mut warnings = rules.warnings.clone();
    warnings.extend(desk.configured.warnings(&rules));
    Json(MappingsShown {
        mappings: of_mappings(&rules),
        overlays: of_overlays(&rules),
        refused: desk.of_mappings.faults().to_vec(),
        configuration_refused: desk.of_configuration.faults().to_vec(),
        warnings,
    })
}

fn of_mappings(rules: &Rules) -> Vec<MappingShown> {
    let mut directions: Vec<_> = rules.directions.iter().collect();
    directions.sort_by_key(|(direction, _)| *direction);
    let all = directions.into_iter().flat_map(|((from, to), set)| {
        set.descriptions().map(move |mapping| MappingShown {
            name: mapping.name.to_owned(),
            file: mapping.file.to_owned(),
            built_in: !rules.own_files.contains(mapping.file),
            sha256: mapping.sha256.to_owned(),
            from: from.clone(),
            to: to.clone(),
            events: mapping.events.to_vec(),
            ignored: mapping.ignored.map(str::to_owned),
        })
    });
    all.collect()
}

fn of_overlays(rules: &Rules) -> Vec<OverlayShown> {
    let all = rules.overlays.iter().map(|(name, overlay)| OverlayShown {
        name: name.to_owned(),
        file: overlay.file().to_owned(),
        built_in: !rules.own_files.contains(overlay.file()),
        sha256: overlay.sha256.clone(),
        events: overlay.events.clone(),
    });
    all.collect()
}
