import CKernels
import LinearAlgebra
import Safetensors

/// The tensors of a checkpoint, checked against the configuration and widened to fp32 on demand.
///
/// Tensors go by the names they have without `model.` in front, since checkpoints of a bare decoder
/// (`LlamaModel.save_pretrained`, as embedding models ship) lack it. Only tensors of the configuration are checked.
struct WeightFile: Sendable {
    static let embeddingName = "embed_tokens.weight"
    static let finalNormName = "norm.weight"
    static let unembeddingName = "lm_head.weight"

    private let collection: SafetensorsCollection
    /// The name of each tensor in the files.
    private let storedNames: [String: String]
    /// Whether the unembedding is there.
    let hasUnembedding: Bool

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

        var storedNames: [String: String] = [:]
        let embedding = [configuration.vocabularySize, configuration.dModel]
        var wanted: [(name: String, shape: [Int])] = [(Self.embeddingName, embedding)]
        for layer in 0..<configuration.layerCount {
            wanted += layout.entries.map { (Self.name(of: $0, layer: layer), $0.shape) }
        }
        wanted.append((Self.finalNormName, [configuration.dModel]))
        // Of two tensors that are one, a checkpoint may hold either.
        let tied = configuration.tiesEmbeddings ? Self.unembeddingName : nil
        for (name, shape) in wanted {
            let stored = Self.storedName(of: name, or: name == Self.embeddingName ? tied : nil, in: collection)
            try Self.check(stored, shape: shape, in: collection)
            storedNames[name] = stored
        }
        hasUnembedding = configuration.tiesEmbeddings || collection.contains(Self.unembeddingName)
        if !configuration.tiesEmbeddings, hasUnembedding {
            try Self.check(Self.unembeddingName, shape: embedding, in: collection)
            storedNames[Self.unembeddingName] = Self.unembeddingName
        }
        self.storedNames = storedNames
    }

    /// The name of a layer's tensor.
    static func name(of entry: LayerLayout.Entry, layer: Int) -> String {
        "layers.\(layer).\(entry.name)"
    }

    /// The name of a tensor in the files.
    private static func storedName(
        of name: String, or other: String?, in collection: SafetensorsCollection
    ) -> String {
        let full = "model." + name
        return [full, name, other].compactMap(\.self).first(where: collection.contains) ?? full
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

    private func storedName(of name: String) -> String { storedNames[name] ?? name }

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

    /// Widens all weights of a layer into a buffer.
    ///
    /// - Throws: `.nonFiniteWeight`.
    func read(layer: Int, layout: LayerLayout, into buffer: Matrix, workers: Workers) throws(LanguageModelError) {
        try readPieces(
            layout.entries.map { entry in
                (Self.name(of: entry, layer: layer), 0..<entry.count, buffer.pointer + entry.offset)
            }, workers: workers)
    }

    /// Packs a matrix with possibly unused rows.
    ///
    /// - Returns: the rows that hold an infinity or a NaN, with the first such element counted over the whole matrix.
    func readRows(
        _ name: String, into matrix: PackedMatrix, workers: Workers
    ) throws(LanguageModelError) -> [Int: Int] {
        // Whole panels.
        let rows = max(Self.pieceElements / matrix.columns / PackedMatrix.panelRows, 1) * PackedMatrix.panelRows
        let tiles = (matrix.rows + rows - 1) / rows
        let widened = (0..<workers.count).map { _ in
            Matrix(scratchRows: min(rows, matrix.rows), columns: matrix.columns)
        }

        var failures = [LanguageModelError?](repeating: nil, count: tiles)
        var bad = [[Int: Int]](repeating: [:], count: tiles)
        failures.withUnsafeMutableBufferPointer { failures in
            bad.withUnsafeMutableBufferPointer { bad in
                workers.forEach(tiles: tiles) { tile, worker in
                    let part = tile * rows..<min((tile + 1) * rows, matrix.rows)
                    let elements = part.lowerBound * matrix.columns..<part.upperBound * matrix.columns
                    let piece = widened[worker]
                    do throws(LanguageModelError) {
                        try widen(name, elements: elements, into: piece.pointer)
                    } catch {
                        failures[tile] = error
                        return
                    }
                    matrix.pack(part, from: piece.pointer)
                    guard rsae_first_non_finite(piece.pointer, Int64(elements.count)) >= 0 else { return }
                    for row in part {
                        let place = Int(
                            rsae_first_non_finite(piece.row(row - part.lowerBound), Int64(matrix.columns)))
                        if place >= 0 { bad[tile][row] = row * matrix.columns + place }
                    }
                }
            }
        }
        for case let failure? in failures { throw failure }
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

        var failures = [LanguageModelError?](repeating: nil, count: pieces.count)
        failures.withUnsafeMutableBufferPointer { failures in
            workers.forEach(tiles: pieces.count) { index, _ in
                do throws(LanguageModelError) {
                    try read(pieces[index].name, elements: pieces[index].elements, into: pieces[index].target)
                } catch {
                    failures[index] = error
                }
            }
        }
        for case let failure? in failures { throw failure }
    }
}
