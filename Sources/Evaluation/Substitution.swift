import CKernels
import LanguageModel
import LinearAlgebra
import SparseCoding
import Vocabulary

/// Replaces the activations that a dictionary reads by its reconstructions, in the residual stream.
///
/// A token's reading is replaced at the layer it was read from, by h + divisor · (û − u), for a
/// standardised reading the deviation + 1e-6: the activation itself if the reconstruction is perfect. û and u are those of the unchanged model throughout, whatever
/// was replaced in earlier layers. For each architecture:
/// - one layer, drawn or routed hard: that layer. The reference's hard routing reads u = p · x, so its error is divided
///   by p.
/// - routed soft, u = Σ p_l x_l: every layer gets its share, p_l / Σ p² of the error, the smallest change that makes the
///   mixture û, on top of what the changes before it have carried along, as in steering.
/// - crosscoder and MLSAE: every layer its own reconstruction.
struct Substitution {
    /// New values, `[replacements × d]`.
    private let values: Matrix
    /// By place in the configuration's layers: rows of the batch, and rows of `values`.
    private let replacements: [[(row: Int, value: Int)]]
    private let layers: [Int]
    /// Whether `values` are added to the stream instead of replacing it.
    private let isAdded: Bool

    /// The first layer in which anything is replaced.
    var firstLayer: Int { layers[0] }

    /// Rows of a batch for which each of a token's layers has a value of its own.
    static func valuesPerToken(_ configuration: DictionaryConfiguration) -> Int {
        let isSpread =
            configuration.architecture == .crosscoder || configuration.architecture == .mlsae
            || configuration.routes && configuration.routing == .soft
        return isSpread ? configuration.layers.count : 1
    }

    /// A soft reading belongs to no single layer, so its change is added instead.
    static func isAdded(_ configuration: DictionaryConfiguration) -> Bool {
        configuration.routes && configuration.routing == .soft
    }

    /// The model's streams with the replacements in them, from the first such layer to the end.
    ///
    /// - Parameter stream: the unchanged stream after `firstLayer`, `[rows × d]`.
    func lastResidualStream(of batch: TokenBatch, in model: LanguageModel, stream: Matrix) throws -> Matrix {
        replace(in: stream, place: 0)
        return try model.lastResidualStream(of: batch, after: firstLayer, residual: stream) { layer, residual in
            guard let place = layers.firstIndex(of: layer) else { return }
            replace(in: residual, place: place)
        }
    }

    private func replace(in residual: Matrix, place: Int) {
        for (row, value) in replacements[place] {
            guard !isAdded else {
                rsae_add_scaled(residual.row(row), 1, values.row(value), Int64(values.columns))
                continue
            }
            residual.row(row).update(from: values.row(value), count: values.columns)
        }
    }

    /// Reconstructions.
    ///
    /// - Parameters:
    ///   - rows: real tokens: rows of the batch.
    ///   - values: as `ReadBatch` filled them.
    init(reconstructing rows: [Int], read: ReadBatch) {
        self.init(rows: rows, read: read, values: read.replacements) { token, place, each in
            token * each + place
        }
    }

    /// Zeros in the same positions. A soft reading belongs to no single layer, so its mixture becomes zero: û = 0.
    ///
    /// - Parameters:
    ///   - rows: real tokens that are zeroed: rows of the batch.
    ///   - targets: the rows that they are in the batch that is run.
    init(zeroing rows: [Int], as targets: [Int], read: ReadBatch) {
        let configuration = read.configuration
        let each = Substitution.valuesPerToken(configuration)
        let isShared = Substitution.isAdded(configuration)
        let d = configuration.dModel
        let zeros = Matrix(rows: max(isShared ? rows.count * each : 1, 1), columns: d)
        if isShared {
            for (number, row) in rows.enumerated() {
                let p = read.input.probabilities.row(row)
                let squares = rsae_dot(p, p, Int64(each))
                for place in 0..<each {
                    let target = zeros.row(number * each + place)
                    let share =
                        configuration.input.divisor(deviation: read.input.deviations[row, place]) * p[place] / squares
                    // u is what was centred, with b_pre where that was subtracted.
                    rsae_add_scaled(target, -share, read.input.centered.row(row), Int64(d))
                    guard configuration.subtractsPreBias else { continue }
                    rsae_add_scaled(target, -share, read.encoder.weights.preBias.pointer, Int64(d))
                }
            }
        }
        self.init(rows: rows, as: targets, read: read, values: zeros) { number, place, each in
            isShared ? number * each + place : 0
        }
    }

    private init(
        rows: [Int], as targets: [Int]? = nil, read: ReadBatch, values: Matrix,
        value: (_ number: Int, _ place: Int, _ each: Int) -> Int
    ) {
        let configuration = read.configuration
        let each = Substitution.valuesPerToken(configuration)
        var replacements: [[(row: Int, value: Int)]] = Array(repeating: [], count: configuration.layers.count)
        for (number, row) in rows.enumerated() {
            let target = targets?[number] ?? row
            if each == 1 {
                replacements[Int(read.input.selected[row])].append(
                    (target, value(targets == nil ? row : number, 0, 1)))
            } else {
                for place in 0..<each {
                    replacements[place].append((target, value(targets == nil ? row : number, place, each)))
                }
            }
        }
        self.replacements = replacements
        self.values = values
        layers = configuration.layers
        isAdded = Substitution.isAdded(configuration)
    }
}
