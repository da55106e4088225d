import Foundation
import LinearAlgebra
import SparseCoding

/// Adam in double precision on all tensors of a dictionary, step by step as PyTorch's documentation states it. The
/// decays are the nearest fp32 numbers to 0.9 and 0.999.
struct NaiveAdam {
    private let beta1 = Double(Float(0.9))
    private let beta2 = Double(Float(0.999))
    private var steps = 0
    private(set) var first: [[Double]] = []
    private(set) var second: [[Double]] = []
    /// In the order of `DictionaryWeights.tensors`.
    private(set) var parameters: [[Double]]
    private let decoder: Int

    init(_ weights: DictionaryWeights) {
        decoder = weights.tensors.firstIndex { $0.name == "decoder" }!
        parameters = weights.tensors.map { $0.matrix.elements.map { Double($0) } }
        first = parameters.map { $0.map { _ in 0 } }
        second = first
    }

    /// Takes over what was changed between steps.
    mutating func adopt(_ weights: DictionaryWeights) {
        parameters = weights.tensors.map { $0.matrix.elements.map { Double($0) } }
    }

    /// One step on the gradients times `scale`; `removingParallel` takes from each decoder row's gradient g, for the row
    /// w, ⟨g, w⟩ w.
    mutating func step(_ gradients: DictionaryWeights, rate: Double, removingParallel: Bool, scale: Double = 1) {
        steps += 1
        for (tensor, (name, matrix)) in gradients.tensors.map({ ($0.name, $0.matrix) }).enumerated() {
            var gradient = matrix.elements.map { Double($0) * scale }
            if removingParallel && name == "decoder" {
                for row in 0..<matrix.rows {
                    let places = row * matrix.columns..<(row + 1) * matrix.columns
                    let along = places.reduce(0.0) { $0 + gradient[$1] * parameters[tensor][$1] }
                    for place in places { gradient[place] -= along * parameters[tensor][place] }
                }
            }
            for i in gradient.indices {
                first[tensor][i] = beta1 * first[tensor][i] + (1 - beta1) * gradient[i]
                second[tensor][i] = beta2 * second[tensor][i] + (1 - beta2) * gradient[i] * gradient[i]
                let firstHat = first[tensor][i] / (1 - pow(beta1, Double(steps)))
                let secondHat = second[tensor][i] / (1 - pow(beta2, Double(steps)))
                parameters[tensor][i] -= rate * firstHat / (secondHat.squareRoot() + 1e-8)
            }
        }
    }

    /// Scales every piece of the decoder's rows of so many columns to unit norm.
    mutating func normaliseDecoder(columns: Int) {
        let tensor = decoder
        for start in stride(from: 0, to: parameters[tensor].count, by: columns) {
            let row = start..<start + columns
            let norm = row.reduce(0.0) { $0 + parameters[tensor][$1] * parameters[tensor][$1] }.squareRoot()
            if norm > 0 { for place in row { parameters[tensor][place] /= norm } }
        }
    }
}
