import Safetensors

/// One file of activations, checked when opened; its rows are read on demand.
package struct ActivationShard: Sendable {
    /// Its path.
    package let path: String
    /// The decoder layers it holds, ascending.
    package let layers: [Int]
    /// Width of the residual stream.
    package let dModel: Int
    /// Vocabulary id of each row; zeros where the file has none.
    package let tokenIDs: [Int32]
    /// Whether the file has token ids.
    package let namesTokens: Bool
    /// Document of each row.
    package let documentIDs: [Int64]
    /// Whether each row is a token put before a text (BOS), not part of the text.
    ///
    /// From the tensor `is_prefix`. In a file without it, all rows of the header's BOS token count as
    /// prefix; a BOS within a text cannot be told from them.
    package let isPrefix: [Bool]
    /// The model the header names, if it does.
    package let model: String?
    /// SHA-256 of the model's weights, if the header gives it.
    package let modelSHA256: String?
    /// The id of the BOS token the header names, if it does.
    package let bosTokenID: Int32?

    private let file: SafetensorsFile

    /// Opens a shard.
    ///
    /// - Parameter layers: the decoder layers of the rows, ascending, for a file whose header does not name them;
    ///   ignored where it does.
    /// - Throws: `SafetensorsError` for a damaged file, `TrainingError.mismatch` for tensors that do not fit together.
    package init(path: String, layers asked: [Int]? = nil) throws {
        self.path = path
        file = try SafetensorsFile(path: path)
        let shape = try file.tensor("activations").shape
        guard shape.count == 3, shape[0] > 0, shape[1] > 0, shape[2] > 1 else {
            throw TrainingError.mismatch(
                path: path,
                what: "activations has shape \(shape); expected [tokens, layers, width], none empty, width above 1")
        }
        guard shape[0] <= Int(Int32.max) else {
            throw TrainingError.mismatch(
                path: path, what: "it has \(shape[0]) rows; a file may hold \(Int32.max), so split it into shards")
        }
        dModel = shape[2]
        layers = try ActivationShard.layers(in: file, count: shape[1], asked: asked)
        namesTokens = file.tensors["token_ids"] != nil
        tokenIDs = try ActivationShard.column("token_ids", of: file, rows: shape[0]).map { id in
            guard let id = Int32(exactly: id) else {
                throw TrainingError.mismatch(path: path, what: "token id \(id) is not a 32-bit number")
            }
            return id
        }
        documentIDs = try ActivationShard.column("document_ids", of: file, rows: shape[0])
        model = file.metadata["model"]
        modelSHA256 = file.metadata["model_sha256"]
        let bos = file.metadata["bos_token_id"].flatMap { Int32($0) }
        bosTokenID = bos
        if file.tensors["is_prefix"] != nil {
            isPrefix = try ActivationShard.column("is_prefix", of: file, rows: shape[0]).map { value in
                guard value == 0 || value == 1 else {
                    throw TrainingError.mismatch(path: path, what: "is_prefix holds \(value); allowed: 0 and 1")
                }
                return value == 1
            }
        } else {
            isPrefix = namesTokens ? tokenIDs.map { $0 == bos } : Array(repeating: false, count: shape[0])
        }
    }

    /// Reads one row `[layers, d]`, widened to fp32.
    package func read(row: Int, into destination: UnsafeMutablePointer<Float>) throws {
        let width = layers.count * dModel
        try file.readFloats("activations", elements: row * width..<(row + 1) * width, into: destination)
    }

    /// Reads rows, each `[layers, d]`, widened to fp32, to a place of its own.
    ///
    /// All rows are requested from the system first, so that they are fetched in parallel. If the file is not cached,
    /// waiting for one row after the other takes many times as long.
    package func read(_ rows: [(row: Int, destination: UnsafeMutablePointer<Float>)]) throws {
        try prefetch(rows.map(\.row))
        for (row, destination) in rows { try read(row: row, into: destination) }
    }

    /// Reads one layer `[d]` of a row, widened to fp32.
    ///
    /// - Parameter place: the layer's place among `layers`.
    func read(row: Int, layer place: Int, into destination: UnsafeMutablePointer<Float>) throws {
        let start = (row * layers.count + place) * dModel
        try file.readFloats("activations", elements: start..<start + dModel, into: destination)
    }

    /// Prefetches rows. Only a hint: errors are left to `read`.
    private func prefetch(_ rows: [Int]) throws {
        let width = layers.count * dModel
        for row in rows where tokenIDs.indices.contains(row) {
            try file.prefetch("activations", elements: row * width..<(row + 1) * width)
        }
    }

    /// Checks that a shard continues another: same model, weights, layers, width and BOS.
    ///
    /// Weights are compared if both headers give their digest.
    ///
    /// - Throws: `TrainingError.mismatch` naming both files and what differs.
    package func checkAgreement(with first: ActivationShard) throws(TrainingError) {
        func mismatch(_ what: String, _ own: String, _ other: String) -> TrainingError {
            .mismatch(
                path: path,
                what: "\(what) \(own), \(first.path) \(other); train on activations of one model and the same layers")
        }

        func named(_ model: String?) -> String { model.map { "\"\($0)\"" } ?? "(unnamed)" }
        guard model == first.model else {
            throw mismatch("it holds activations of model", named(model), "of " + named(first.model))
        }
        if let own = modelSHA256, let other = first.modelSHA256, own != other {
            throw mismatch(
                "it holds activations of model \(named(model)) with weights", own.prefix(12) + "…",
                "with weights " + other.prefix(12) + "…")
        }
        guard layers == first.layers else {
            throw mismatch("it holds layers", "\(layers)", "\(first.layers)")
        }
        guard dModel == first.dModel else {
            throw mismatch("its residual streams have width", "\(dModel)", "\(first.dModel)")
        }
        guard bosTokenID == first.bosTokenID else {
            func named(_ id: Int32?) -> String { id.map(String.init) ?? "none" }
            throw mismatch("its BOS token is", named(bosTokenID), named(first.bosTokenID))
        }
    }

    /// The decoder layers that a header names, such as `[3,4,5]`; nil unless they are `count` in ascending order.
    package static func layers(named text: String, count: Int) -> [Int]? {
        let numbers = text.split { "[], ".contains($0) }.map { Int($0) }
        let layers = numbers.compactMap { $0 }
        guard layers.count == numbers.count, layers.count == count, Set(layers).count == count,
            layers == layers.sorted(), layers.first ?? -1 >= 0
        else { return nil }
        return layers
    }

    private static func layers(in file: SafetensorsFile, count: Int, asked: [Int]?) throws -> [Int] {
        if let text = file.metadata["layers"] {
            guard let layers = layers(named: text, count: count) else {
                throw TrainingError.mismatch(
                    path: file.path,
                    what: "the header's layers '\(text)' do not name \(count) layers in ascending order")
            }
            return layers
        }
        guard let asked, asked.count == count, Set(asked).count == count, asked == asked.sorted(), asked[0] >= 0 else {
            throw TrainingError.mismatch(
                path: file.path,
                what: "the header does not name its \(count) decoder layers; name them all with `layers`, ascending")
        }
        return asked
    }

    private static func column(_ name: String, of file: SafetensorsFile, rows: Int) throws -> [Int64] {
        guard file.tensors[name] != nil else { return Array(repeating: 0, count: rows) }
        let values = try file.integers(name)
        guard values.count == rows else {
            throw TrainingError.mismatch(
                path: file.path, what: "\(name) has \(values.count) entries for \(rows) rows of activations")
        }
        return values
    }
}
