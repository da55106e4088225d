import ActivationPipeline
import FeatureCatalog
import Foundation
import JSON
import Steering
import Training
import Vocabulary

extension Reproduction {
    /// Repeats a steering run.
    func steer(
        _ run: RunRecord, in catalog: Catalog, _ scratch: Catalog, cancelled: @escaping @Sendable () -> Bool,
        progress: @escaping (_ done: Int, _ total: Int?) -> Void
    ) throws -> Int64 {
        var steering = try decode(SteeringSettings.self, run, catalog)
        guard let dictionary = try interventions(of: run.runID, in: catalog).first?.dictionaryID else {
            throw WorkflowError.refused("\(catalog.path): run \(run.runID) wrote no interventions")
        }
        if let model = settings.model { steering.model = model }
        try checkInputs(run, in: catalog, paths: [], model: steering.model) { try $0.inputs(steering: steering) }
        var selection = CatalogCopy.Selection()
        selection.dropsText = true
        selection.indexes = []
        selection.bands = []
        let copy = CatalogCopy(from: catalog, to: scratch, selection: selection)
        try catalog.snapshot { try copy.copyOrigins() }
        guard let copied = copy.dictionaries[dictionary] else {
            throw CatalogError(.damaged, "\(catalog.path): interventions on a dictionary that is not there")
        }
        steering.dictionary = "\(copied)"
        let again = try SteeringRun(settings: steering, workers: workers).run(
            on: scratch, cancelled: cancelled, progress: { progress($0, $1) })
        guard let runID = again.runID else { preconditionFailure("a run that saves has a number") }
        return runID
    }

    /// Compares texts and divergences; nothing for a run that is not of this kind.
    ///
    /// Changes of promoted tokens are left out: those tokens are known only once the dictionary is indexed, which may
    /// have happened later.
    func compareInterventions(
        _ run: RunRecord, in catalog: Catalog, with copyID: Int64, in scratch: Catalog
    ) throws -> [Comparison] {
        guard run.kind == .steer else { return [] }
        let (recorded, reproduced) = (
            try interventions(of: run.runID, in: catalog), try interventions(of: copyID, in: scratch)
        )
        func comparison(_ what: String, _ value: (InterventionRecord) -> String) throws -> Comparison {
            func digest(_ records: [InterventionRecord]) throws -> String {
                let rows = records.map {
                    ["\($0.featureIndex)", $0.operation.rawValue, "\($0.strength)", $0.prompt, value($0)]
                }
                return "\(sha256(of: Data(try canonicalJSON(rows).utf8)).prefix(16)) of \(rows.count)"
            }
            return Comparison(what: what, recorded: try digest(recorded), reproduced: try digest(reproduced))
        }
        return [
            try comparison("intervention text") { $0.text },
            try comparison("intervention kl") { $0.kl.map { "\($0)" } ?? "none" },
        ]
    }

    private func interventions(of runID: Int64, in catalog: Catalog) throws -> [InterventionRecord] {
        try catalog.dictionaries().flatMap { try catalog.interventions(dictionaryID: $0.dictionaryID) }
            .filter { $0.runID == runID }
    }
}
