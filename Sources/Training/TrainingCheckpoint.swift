import ActivationPipeline
import FeatureCatalog
import Foundation
import LinearAlgebra
import SparseCoding
import SparseTraining

/// A training job after a step: resuming from it gives the same bits as training without interruption.
///
/// The file beside the catalog is safetensors. Its header's `state` is this type as JSON; the tensors are every
/// dictionary's weights, moments and counters (`0.weights.encoder` …) and the rows that wait in a live stream's buffer; the
/// last one, `sha256`, holds the digest of `state` with the other tensors' layout, and of each of them.
package struct TrainingCheckpoint: Codable, Equatable {
    /// The version of the file's format.
    static let currentVersion = 1

    /// The version of its format.
    var version: Int
    /// The software that wrote it.
    var software: String
    /// The settings of every dictionary.
    package let settings: [TrainingSettings]
    /// Each dictionary's run in the catalog, by uuid.
    let runs: [String]
    /// The inputs of the job, by digest.
    var inputs: [Input]
    /// Steps made.
    package var step: Int
    /// Dictionaries that dropped out, by number, with the reason.
    var failures: [Int: String] = [:]
    /// The stream's position.
    var stream: [String: UInt64] = [:]
    /// Rows in the stream's buffer.
    var waitingRows = 0
    /// What identifies the stream that came through a pipe; nil for other sources.
    var streamHeader: [String: String]?

    /// A file that the job reads.
    struct Input: Codable, Equatable {
        let role: String
        let name: String
        let sha256: String
        let bytes: Int
    }

    /// The state before the first step.
    init(_ job: TrainingJob) {
        version = TrainingCheckpoint.currentVersion
        software = "\(Software.identity.version)"
        settings = job.plans.map(\.settings)
        runs = job.plans.map { _ in UUID().uuidString.lowercased() }
        inputs = TrainingCheckpoint.inputs(job.inputs)
        streamHeader = job.source.streamHeader
        step = 0
    }

    /// The checkpoint's path for a job that writes into a catalog.
    package static func path(besideCatalog catalog: String) -> String { catalog + ".checkpoint" }

    /// Checks that a job is the one of the checkpoint, and accepts permitted changes of its inputs.
    ///
    /// Text that training has read must be unchanged; text behind that may have been corrected. The run is then what it
    /// would have been on the corrected text from the start.
    ///
    /// - Throws: `WorkflowError.refused` naming what differs; what reading the text throws.
    mutating func takeUp(_ job: TrainingJob, path: String) throws {
        let given = job.plans.map(\.settings)
        guard given.count == settings.count else {
            throw WorkflowError.refused(
                "\(path): is a checkpoint of \(settings.count) dictionaries, \(given.count) are asked for; resume with the "
                    + "settings it was made with, or with none")
        }
        for (number, pair) in zip(given, settings).enumerated() where pair.0 != pair.1 {
            throw WorkflowError.refused(
                "\(path): is a checkpoint of other settings (dictionary \(number + 1): "
                    + "\(TrainingCheckpoint.difference(pair.0, pair.1))); resume without settings, or remove it")
        }
        guard runs.count == settings.count, (0...job.steps).contains(step), waitingRows >= 0,
            failures.keys.allSatisfy({ settings.indices.contains($0) }),
            // A pass is at least one token, of a batch or of what waits.
            stream["passes", default: 0] <= UInt64(step * job.batchTokens) + 1 << 22
        else { throw WorkflowError.badInput(path: path, problem: "contradicts itself; remove it and train anew") }
        try checkStream(of: job, path: path)
        let now = TrainingCheckpoint.inputs(job.inputs)
        let former = try formerInputs(of: job)
        func model(_ inputs: [Input]) -> [Input] { inputs.filter { $0.role == "model" } }
        if former.contains(where: { model($0) == model(inputs) }) {
            inputs = model(now) + inputs.filter { $0.role != "model" }
        }
        guard now != inputs else { return }
        // Of current and former digests, those that agree the longest are compared.
        let agreeing = ([now] + former).map { zip(inputs, $0).prefix { $0 == $1 }.count }.max() ?? 0
        let changed = agreeing < inputs.count ? inputs[agreeing] : inputs.last
        let what =
            "\(path): what is read is not what it was when training began, "
            + (changed.map { "from \($0.role) \($0.name) on" } ?? "files were added")
        func others(_ inputs: [Input]) -> [Input] { inputs.filter { $0.role != "text" } }
        guard let corpus = job.source.corpus, others(inputs) == others(now) else {
            throw WorkflowError.refused("\(what); a resumed run has to read the same files")
        }
        // After the last step nothing more is read.
        if step == job.steps { return }
        guard
            try step == 0
                || SegmentReader.hasRead(stream, of: corpus, shuffleSeed: job.plans[0].settings.shuffleSeed)
        else {
            throw WorkflowError.refused(
                "\(what); only documents that training has not read yet may differ, and with shuffling their number has to "
                    + "stay the same")
        }
        inputs = now
    }

    /// The inputs of a job as versions up to 0.1 recorded them, for a checkpoint of such a version: by model files.
    private func formerInputs(of job: TrainingJob) throws -> [[Input]] {
        guard inputs.contains(where: { $0.role == "model" && $0.name.hasSuffix(".safetensors") }) else { return [] }
        return try job.formerInputs().map(TrainingCheckpoint.inputs)
    }

    /// The keys in which two settings differ.
    private static func difference(_ one: TrainingSettings, _ other: TrainingSettings) -> String {
        func object(_ settings: TrainingSettings) -> [String: String] {
            guard let data = try? JSONEncoder().encode(settings),
                let values = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
            else { return [:] }
            return values.mapValues { "\($0)" }
        }

        let (one, other) = (object(one), object(other))
        return Set(one.keys).union(other.keys).sorted().filter { one[$0] != other[$0] }
            .map { "\($0) is \(one[$0] ?? "not set"), was \(other[$0] ?? "not set")" }.joined(separator: "; ")
    }

    private static func inputs(_ inputs: [RunInput]) -> [Input] {
        inputs.map { Input(role: $0.role, name: $0.name, sha256: $0.sha256, bytes: $0.bytes) }
    }
}
