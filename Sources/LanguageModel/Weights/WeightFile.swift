import CKernels
import LinearAlgebra
import Safetensors

/// The tensors of a checkpoint, checked against the configuration and widened to fp32 on demand.
///
/// Tensors go by the names they have without `model.` or its like in front, since checkpoints of a bare decoder
/// (`LlamaModel.save_pretrained`, as embedding models ship) lack it. Only tensors of the configuration are checked.
struct WeightFile: Sendable {
    /// The names of the tensors that are not in a layer; nil where the model has none.
    let embeddingName: String
    let positionsName: String?
    let finalNormName: String?
    let finalNormBiasName: String?
    let unembeddingName: String
    let unembeddingBiasName: String?

    private let layerPrefix: String
    let collection: SafetensorsCollection
    /// The name of each tensor in the files.
    private let storedNames: [String: String]
    /// Whether the unembedding is there.
    let hasUnembedding: Bool
    /// Whether it is the embedding.
    let isTied: Bool

    /// Opens the weights of a model directory and checks that every tensor is there, in the right shape. The unembedding
    /// may be missing.
    ///
    /// - Throws: `.weights`, `.tensorShape`.
    init(
        directory: String, configuration: LanguageModelConfiguration, layout: LayerLayout
    ) throws(LanguageModelError) {
        do {
            collection = try SafetensorsCollection(directory: directory)
        } catch {
            throw .weights(error)
        }

        let names = TensorNames(configuration)
        layerPrefix = names.layers
        embeddingName = names.embedding
        positionsName = configuration.learnedPositions.map { _ in names.positions }
        let parameters = configuration.normParameters
        finalNormName = parameters == .none ? nil : names.finalNorm + ".weight"
        finalNormBiasName = parameters == .weightAndBias ? names.finalNorm + ".bias" : nil
        unembeddingName = names.unembedding + ".weight"
        unembeddingBiasName = configuration.biasesUnembedding ? names.unembedding + ".bias" : nil

        let (d, vocabulary) = (configuration.dModel, configuration.vocabularySize)
        let unembedding = names.unembeddings.map { $0 + ".weight" }
        var wanted: [(name: String, shape: [Int])] = [(embeddingName, [vocabulary, d])]
        if let positionsName, let positions = configuration.learnedPositions {
            wanted.append((positionsName, [positions, d]))
        }
        for layer in 0..<configuration.layerCount {
            wanted += layout.entries.map { [layerPrefix] in
                (Self.name(of: $0, layer: layer, prefix: layerPrefix), $0.shape)
            }
        }
        wanted += [finalNormName, finalNormBiasName].compactMap(\.self).map { ($0, [d]) }
        var storedNames: [String: String] = [:]
        for (name, shape) in wanted {
            var candidates = names.prefixes.map { $0 + name }
            // Of two tensors that are one, a checkpoint may hold either.
            if configuration.tiesEmbeddings, name == embeddingName { candidates += unembedding }
            let stored = candidates.first(where: collection.contains) ?? candidates[0]
            try Self.check(stored, shape: shape, in: collection)
            storedNames[name] = stored
        }
        let stored = unembedding.first(where: collection.contains)
        hasUnembedding = configuration.tiesEmbeddings || stored != nil
        // transformers ties them only where a checkpoint does not hold two that differ (`tie_weights`, modeling_utils.py).
        let areEqual = try Self.areEqual(
            configuration.tiesEmbeddings ? stored : nil, storedNames[embeddingName], shape: [vocabulary, d],
            in: collection)
        isTied = configuration.tiesEmbeddings && areEqual
        if !isTied, let stored {
            try Self.check(stored, shape: [vocabulary, d], in: collection)
            storedNames[unembeddingName] = stored
        }
        if let unembeddingBiasName, hasUnembedding {
            let candidates = names.unembeddings.map { $0 + ".bias" }
            let stored = candidates.first(where: collection.contains) ?? candidates[0]
            try Self.check(stored, shape: [vocabulary], in: collection)
            storedNames[unembeddingBiasName] = stored
        }
        self.storedNames = storedNames
    }

    /// Whether two tensors have the same bytes, or there is only one.
    private static func areEqual(
        _ one: String?, _ other: String?, shape: [Int], in collection: SafetensorsCollection
    ) throws(LanguageModelError) -> Bool {
        guard let one, let other, one != other else { return true }
        try check(one, shape: shape, in: collection)
        var sums: [UInt64] = []
        do {
            guard try collection.tensor(one).dtype == collection.tensor(other).dtype else { return false }
            for name in [one, other] {
                // FNV-1a over words: equal for equal bytes, and no two tables of a model collide by accident.
                var sum: UInt64 = 0xCBF2_9CE4_8422_2325
                try collection.forEachPiece(of: name) { piece in
                    var offset = 0
                    while offset + 8 <= piece.count {
                        sum = (sum ^ piece.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x100_0000_01B3
                        sum ^= sum >> 29
                        offset += 8
                    }
                    for byte in piece[offset...] { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
                }
                sums.append(sum)
            }
        } catch {
            throw .weights(error)
        }
        return sums[0] == sums[1]
    }

    /// The name of a layer's tensor.
    func name(of entry: LayerLayout.Entry, layer: Int) -> String {
        Self.name(of: entry, layer: layer, prefix: layerPrefix)
    }

    private static func name(of entry: LayerLayout.Entry, layer: Int, prefix: String) -> String {
        "\(prefix)\(layer).\(entry.name)"
    }

    private static func check(
        _ name: String, shape: [Int], in collection: SafetensorsCollection
    ) throws(LanguageModelError) {
        do {
            let file = try collection.file(of: name)
            let tensor = try file.tensor(name)
            guard tensor.shape == shape else {
                throw LanguageModelError.tensorShape(name: name, path: file.path, expected: shape, found: tensor.shape)
            }
            guard tensor.dtype.isConvertibleToFloat else {
                throw SafetensorsError.wrongDType(
                    name: name, path: file.path, expected: "F64, F32, F16 or BF16", found: tensor.dtype)
            }
        } catch let error as SafetensorsError {
            throw .weights(error)
        } catch let error as LanguageModelError {
            throw error
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// The tensors that are read, by the names that do not depend on the checkpoint, in the order of those.
    var names: [String] { storedNames.keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) } }

    /// The files that hold them, in the order of their names.
    var paths: [String] {
        Set(storedNames.values.compactMap { try? collection.file(of: $0).path }).sorted()
    }

    /// Calls `body` with the stored bytes of a tensor, piece after piece, each valid only during its call.
    ///
    /// - Returns: its description.
    /// - Throws: `.weights`.
    func forEachPiece(
        of name: String, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(LanguageModelError) -> TensorDescription {
        let stored = storedName(of: name)
        do {
            try collection.forEachPiece(of: stored, body)
            return try collection.tensor(stored)
        } catch {
            throw .weights(error)
        }
    }

    /// Whether a tensor's elements are bf16.
    func isHalved(_ name: String) -> Bool { (try? collection.tensor(storedName(of: name)).dtype) == .bf16 }

    func storedName(of name: String) -> String { storedNames[name] ?? name }

    /// Widens some elements of a tensor, counted row-major.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func read(
        _ name: String, elements: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) throws(LanguageModelError) {
        try widen(name, elements: elements, into: target)
        let bad = Int(rsae_first_non_finite(target, Int64(elements.count)))
        guard bad < 0 else { throw nonFinite(name, element: elements.lowerBound + bad) }
    }

    /// The error for an infinite or NaN element of a tensor.
    func nonFinite(_ name: String, element: Int) -> LanguageModelError {
        let stored = storedName(of: name)
        return .nonFiniteWeight(
            name: stored, path: (try? collection.file(of: stored).path) ?? "", element: element)
    }

    private func widen(
        _ name: String, elements: Range<Int>, into target: UnsafeMutablePointer<Float>
    ) throws(LanguageModelError) {
        do {
            try collection.readFloats(storedName(of: name), elements: elements, into: target)
        } catch {
            throw .weights(error)
        }
    }

    /// Widens some elements of a tensor on all workers.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func read(
        _ name: String, elements: Range<Int>, into target: UnsafeMutablePointer<Float>, workers: Workers
    ) throws(LanguageModelError) {
        try readPieces([(name, elements, target)], workers: workers)
    }

    /// Widens a whole tensor of `rows` rows.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func matrix(
        _ name: String, rows: Int, columns: Int, workers: Workers
    ) throws(LanguageModelError) -> Matrix {
        let matrix = Matrix(rows: rows, columns: columns)
        try read(name, elements: 0..<rows * columns, into: matrix.pointer, workers: workers)
        return matrix
    }

    /// Widens all weights of a layer, or its norms and biases, into a buffer, arranged as its layout wants them.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func read(
        layer: Int, layout: LayerLayout, vectorsOnly: Bool = false, into buffer: Matrix, workers: Workers
    ) throws(LanguageModelError) {
        let entries = layout.entries.filter { !vectorsOnly || $0.offset < layout.vectorCount }
        let (plain, arranged) = entries.reduce(into: ([LayerLayout.Entry](), [LayerLayout.Entry]())) {
            if $1.arrangement == .asStored { $0.0.append($1) } else { $0.1.append($1) }
        }
        try readPieces(
            plain.map { entry in
                (name(of: entry, layer: layer), 0..<entry.count, buffer.pointer + entry.offset)
            }, workers: workers)
        for entry in arranged {
            try readArranged(entry, layer: layer, into: buffer.pointer + entry.offset, workers: workers)
        }
        for entry in entries where entry.addend != 0 {
            for element in entry.offset..<entry.offset + entry.count { buffer.pointer[element] += entry.addend }
        }
    }

    private func readArranged(
        _ entry: LayerLayout.Entry, layer: Int, into target: UnsafeMutablePointer<Float>, workers: Workers
    ) throws(LanguageModelError) {
        let columns = entry.shape.dropFirst().reduce(1, *)
        let rows = max(Self.pieceElements / columns, 1)
        let tiles = (entry.shape[0] + rows - 1) / rows
        let name = name(of: entry, layer: layer)
        let widened = (0..<workers.count).map { _ in Matrix(scratchRows: min(rows, entry.shape[0]), columns: columns) }
        try forEachTile(tiles, workers: workers) { tile, worker throws(LanguageModelError) in
            let part = tile * rows..<min((tile + 1) * rows, entry.shape[0])
            let piece = widened[worker]
            try read(name, elements: part.lowerBound * columns..<part.upperBound * columns, into: piece.pointer)
            entry.arrangement.place(part, of: entry.shape, from: piece.pointer, to: target)
        }
    }

    /// Packs a matrix with possibly unused rows.
    ///
    /// - Returns: the rows that hold an infinity or a NaN, with the first such element counted over the whole matrix.
    func readRows(
        _ name: String, into matrix: PackedMatrix, workers: Workers
    ) throws(LanguageModelError) -> [Int: Int] {
        // Whole panels.
        let rows = max(Self.pieceElements / matrix.columns / matrix.panelRows, 1) * matrix.panelRows
        let tiles = (matrix.rows + rows - 1) / rows
        let widened = (0..<workers.count).map { _ in
            Matrix(scratchRows: min(rows, matrix.rows), columns: matrix.columns)
        }

        var bad = [[Int: Int]](repeating: [:], count: tiles)
        try bad.withUnsafeMutableBufferPointer { bad throws(LanguageModelError) in
            try forEachTile(tiles, workers: workers) { tile, worker throws(LanguageModelError) in
                let part = tile * rows..<min((tile + 1) * rows, matrix.rows)
                let elements = part.lowerBound * matrix.columns..<part.upperBound * matrix.columns
                let piece = widened[worker]
                try widen(name, elements: elements, into: piece.pointer)
                matrix.pack(part, from: piece.pointer)
                guard rsae_first_non_finite(piece.pointer, Int64(elements.count)) >= 0 else { return }
                for row in part {
                    let place = Int(rsae_first_non_finite(piece.row(row - part.lowerBound), Int64(matrix.columns)))
                    if place >= 0 { bad[tile][row] = row * matrix.columns + place }
                }
            }
        }
        return bad.reduce(into: [:]) { all, part in all.merge(part) { first, _ in first } }
    }

    /// Pieces small enough to divide among workers, and to be checked while in the cache.
    private static let pieceElements = 1 << 18

    private typealias Piece = (name: String, elements: Range<Int>, target: UnsafeMutablePointer<Float>)

    private func readPieces(_ tensors: [Piece], workers: Workers) throws(LanguageModelError) {
        let pieces: [Piece] = tensors.flatMap { tensor in
            stride(from: 0, to: tensor.elements.count, by: Self.pieceElements).map { first in
                let begin = tensor.elements.lowerBound + first
                let end = min(begin + Self.pieceElements, tensor.elements.upperBound)
                return (tensor.name, begin..<end, tensor.target + first)
            }
        }

        try forEachTile(pieces.count, workers: workers) { index, _ throws(LanguageModelError) in
            try read(pieces[index].name, elements: pieces[index].elements, into: pieces[index].target)
        }
    }

    /// Runs `body(tile, worker)` for all tiles; of several errors the one of the first tile is thrown.
    private func forEachTile(
        _ tiles: Int, workers: Workers, _ body: (Int, Int) throws(LanguageModelError) -> Void
    ) throws(LanguageModelError) {
        var failures = [LanguageModelError?](repeating: nil, count: tiles)
        failures.withUnsafeMutableBufferPointer { failures in
            workers.forEach(tiles: tiles) { tile, worker in
                do throws(LanguageModelError) { try body(tile, worker) } catch { failures[tile] = error }
            }
        }
        for case let failure? in failures { throw failure }
    }
}
