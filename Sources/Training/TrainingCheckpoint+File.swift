import ActivationPipeline
import Crypto
import Foundation
import JSON
import LinearAlgebra
package import Safetensors
import SparseCoding
import SparseTraining

extension TrainingCheckpoint {
    private static let format = "routesae-checkpoint"

    /// Writes the checkpoint under a temporary name and renames it once it is complete and synced.
    ///
    /// - Parameters:
    ///   - states: the dictionaries that are still in training, by number; none for a job before its first step.
    ///   - position: the stream's position; nil if nothing more is read.
    /// - Throws: `WorkflowError.cannotWrite`, `SafetensorsError`.
    func write(to path: String, states: [Int: TrainerState], position: StreamPosition?) throws {
        var record = self
        record.stream = position?.numbers ?? [:]
        record.waitingRows = position?.waiting.count ?? 0
        let json = try canonicalJSON(record)
        let pieces = TrainingCheckpoint.pieces(states: states, position: position)
        let writer = try SafetensorsWriter(
            path: path,
            tensors: pieces.map { (name: $0.name, dtype: $0.dtype, shape: $0.shape) }
                + [(name: "sha256", dtype: .u8, shape: [pieces.count + 1, 32])],
            metadata: ["format": TrainingCheckpoint.format, "state": json], overwrite: true)
        do {
            let layout = pieces.map { "\($0.name) \($0.dtype) \($0.shape)" }
            var digests = TrainingCheckpoint.digest(json, layout: layout)
            for piece in pieces {
                switch piece.values {
                case .floats(let pointer):
                    let values = UnsafeBufferPointer(start: pointer, count: piece.shape.reduce(1, *))
                    try writer.append(piece.name, floats: values)
                    digests += TrainingCheckpoint.digest(UnsafeRawBufferPointer(values))
                case .integers(let values):
                    try writer.append(piece.name, integers: values)
                    digests += values.withUnsafeBytes { TrainingCheckpoint.digest($0) }
                }
            }
            try writer.append("sha256", integers: digests.map { Int64($0) })
            try writer.finish()
        } catch {
            writer.abandon()
            throw error
        }
    }

    /// Reads a checkpoint's record and opens its tensors, all digests checked.
    ///
    /// - Throws: `WorkflowError.missing`; `.badInput` for a file that is no checkpoint, of another version, or damaged.
    package static func read(_ path: String) throws -> (record: TrainingCheckpoint, file: SafetensorsFile) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw WorkflowError.missing(path: path, what: "checkpoint; there is nothing to resume")
        }

        func damaged(_ what: String) -> WorkflowError {
            .badInput(path: path, problem: "\(what); remove it and train anew")
        }

        let file: SafetensorsFile
        do { file = try SafetensorsFile(path: path) } catch {
            throw damaged("is a damaged checkpoint (\(error))")
        }
        guard file.metadata["format"] == format, let json = file.metadata["state"] else {
            throw damaged("is no checkpoint of a training run")
        }
        struct Version: Decodable { let version: Int }
        let data = Data(json.utf8)
        let version = (try? JSONDecoder().decode(Version.self, from: data))?.version
        guard let version, version == currentVersion else {
            throw damaged(
                "is a checkpoint of version \(version.map { "\($0)" } ?? "unknown"), this program reads version "
                    + "\(currentVersion)")
        }
        guard let record = try? JSONDecoder().decode(TrainingCheckpoint.self, from: data) else {
            throw damaged("is a damaged checkpoint (its state cannot be read)")
        }

        let names = file.names.filter { $0 != "sha256" }.sorted()
        let layout = try names.map { name in
            let tensor = try file.tensor(name)
            return "\(name) \(tensor.dtype) \(tensor.shape)"
        }
        guard let digests = try? file.integers("sha256"), digests.count == 32 * (names.count + 1),
            digest(json, layout: layout) == digests.prefix(32).map({ UInt8(truncatingIfNeeded: $0) })
        else { throw damaged("is a damaged checkpoint (its state does not match its digest)") }
        for (place, name) in names.enumerated() {
            let expected = digests[32 * (place + 1)..<32 * (place + 2)].map { UInt8(truncatingIfNeeded: $0) }
            var hash = SHA256()
            do { try file.forEachPiece(of: name) { hash.update(bufferPointer: $0) } } catch {
                throw damaged("is a damaged checkpoint (\(error))")
            }
            guard Array(hash.finalize()) == expected else {
                throw damaged("is a damaged checkpoint (tensor \(name) does not match its digest)")
            }
        }
        return (record, file)
    }

    /// Whether a file is a checkpoint, valid or not.
    package static func isOne(_ path: String) -> Bool {
        (try? SafetensorsFile(path: path))?.metadata["format"] == format
    }

    /// One dictionary's state.
    ///
    /// - Throws: `WorkflowError.badInput` for a tensor that is missing or of another shape.
    func state(_ number: Int, of plan: TrainingPlan, in file: SafetensorsFile) throws -> TrainerState {
        let state = TrainerState(empty: plan.configuration)
        for (name, matrix) in state.tensors {
            let name = "\(number).\(name)"
            guard let found = file.tensors[name]?.shape, found == [matrix.rows, matrix.columns] else {
                throw WorkflowError.badInput(
                    path: file.path, problem: "tensor \(name) is missing or not [\(matrix.rows), \(matrix.columns)]")
            }
            try file.readFloats(name, elements: 0..<matrix.count, into: matrix.pointer)
        }

        let idle = try file.integers("\(number).tokens_since_fired")
        // No counter can exceed the number of tokens so far.
        let tokens = Int64(step) * Int64(plan.settings.batchTokens)
        guard idle.count == plan.configuration.latents, idle.allSatisfy({ (0...tokens).contains($0) }) else {
            throw WorkflowError.badInput(path: file.path, problem: "its counters of dictionary \(number) do not fit")
        }
        state.restore(stepsDone: step, tokensSinceFired: idle.map { Int($0) })
        return state
    }

    /// The stream's position.
    func position(layers: [Int], dModel: Int, in file: SafetensorsFile) throws -> StreamPosition {
        guard file.tensors["stream.activations"] != nil else { return StreamPosition(numbers: stream) }
        guard try file.tensor("stream.activations").shape == [waitingRows, layers.count * dModel] else {
            throw WorkflowError.badInput(path: file.path, problem: "its waiting tokens are not of these layers")
        }

        let buffer = ActivationBatch(capacity: waitingRows, layers: layers, dModel: dModel)
        try file.readFloats("stream.activations", elements: 0..<buffer.values.count, into: buffer.values.pointer)
        let tokens = try file.integers("stream.token_ids")
        let documents = try file.integers("stream.document_ids")
        let keys = try file.integers("stream.draw_keys")
        guard tokens.count == waitingRows, documents.count == waitingRows, keys.count == waitingRows else {
            throw WorkflowError.badInput(path: file.path, problem: "its waiting tokens are incomplete")
        }
        buffer.tokenIDs = tokens.map { Int32(truncatingIfNeeded: $0) }
        buffer.documentIDs = documents
        buffer.drawKeys = keys.map { UInt64(bitPattern: $0) }
        buffer.count = waitingRows
        return StreamPosition(numbers: stream, buffer: buffer, waiting: 0..<waitingRows)
    }

    /// One tensor to be written.
    private struct Piece {
        enum Values {
            case floats(UnsafePointer<Float>)
            case integers([Int64])
        }

        let name: String
        let dtype: TensorDType
        let shape: [Int]
        let values: Values
    }

    /// The tensors by name, in the order of their digests.
    private static func pieces(states: [Int: TrainerState], position: StreamPosition?) -> [Piece] {
        var pieces: [Piece] = []
        for (number, state) in states {
            for (name, matrix) in state.tensors {
                pieces.append(
                    Piece(
                        name: "\(number).\(name)", dtype: .f32, shape: [matrix.rows, matrix.columns],
                        values: .floats(matrix.pointer)))
            }
            pieces.append(
                Piece(
                    name: "\(number).tokens_since_fired", dtype: .i64, shape: [state.tokensSinceFired.count],
                    values: .integers(state.tokensSinceFired.map { Int64($0) })))
        }
        if let position, let buffer = position.buffer {
            let rows = position.waiting
            func column(_ name: String, _ values: [Int64]) -> Piece {
                Piece(name: "stream.\(name)", dtype: .i64, shape: [rows.count], values: .integers(values))
            }
            pieces += [
                Piece(
                    name: "stream.activations", dtype: .f32, shape: [rows.count, buffer.values.columns],
                    values: .floats(buffer.values.row(rows.lowerBound))),
                column("token_ids", buffer.tokenIDs[rows].map { Int64($0) }),
                column("document_ids", Array(buffer.documentIDs[rows])),
                column("draw_keys", buffer.drawKeys[rows].map { Int64(bitPattern: $0) }),
            ]
        }
        return pieces.sorted { $0.name < $1.name }
    }

    /// Digest of the state and of every tensor's name, type and shape.
    private static func digest(_ json: String, layout: [String]) -> [UInt8] {
        Array(SHA256.hash(data: Data(([json] + layout).joined(separator: "\n").utf8)))
    }

    private static func digest(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        return Array(hash.finalize())
    }
}
