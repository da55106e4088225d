import DictionaryExchange
import LinearAlgebra
import Safetensors
import SparseCoding
import TestSupport
import Testing
import Vocabulary

/// What the formats cannot say, and tensors that are not what the configuration asks for.
@Suite struct ExportRefusalTests {
    typealias Write = @Sendable (DictionaryToExport, String) throws -> [String]
    static let saelens: Write = { try SAELensWriter.write($0, into: $1) }
    static let sparsify: Write = { try SparsifyWriter.write($0, into: $1) }

    private static func configuration(
        _ architecture: Architecture, k: Int? = 3, layers: [Int] = [2], routing: RoutingMode = .hard,
        fidelity: Fidelity = .corrected, selection: LatentSelection = .activation
    ) throws -> DictionaryConfiguration {
        try DictionaryConfiguration(
            architecture: architecture, dModel: 7, latents: 12, k: k, layers: layers, routing: routing,
            fidelity: fidelity, selection: selection)
    }

    private func refusal(_ dictionary: DictionaryToExport, _ write: Write) throws -> String {
        let directory = try TemporaryDirectory()
        let error = #expect(throws: ExportRefusal.self) { try write(dictionary, directory.file("out")) }
        let text = error?.description ?? ""
        #expect(text.contains("\"demo\"") && !text.contains("\n"))
        return text
    }

    @Test func whatSAELensComputesDifferentlyIsRefused() throws {
        for (configuration, reason) in [
            (try Self.configuration(.crosscoder, layers: [2, 3]), "crosscoder"),
            (try Self.configuration(.topk, selection: .groups), "`to` sparsify"),
            (try Self.configuration(.topk, fidelity: .reference), "below zero"),
            (try Self.configuration(.mlsae, layers: [2, 3], fidelity: .reference), "below zero"),
        ] {
            let text = try refusal(DictionaryOfRandomWeights(configuration).toExport, Self.saelens)
            #expect(text.contains(reason))
        }
    }

    @Test func whatSparsifyComputesDifferentlyIsRefused() throws {
        for (configuration, reason) in [
            (try Self.configuration(.crosscoder, layers: [2, 3]), "crosscoder"),
            (try Self.configuration(.vanilla, k: nil), "`to` saelens"),
            (try Self.configuration(.jumprelu, k: nil), "`to` saelens"),
            (try Self.configuration(.topk, fidelity: .reference), "below zero"),
            (try Self.configuration(.route, layers: [2, 3], fidelity: .reference), "below zero"),
            (try Self.configuration(.route, layers: [2, 3], routing: .soft), "soft routing"),
        ] {
            let text = try refusal(DictionaryOfRandomWeights(configuration).toExport, Self.sparsify)
            #expect(text.contains(reason))
        }
    }

    @Test func aReferenceThresholdBelowZeroIsRefused() throws {
        let configuration = try Self.configuration(.jumprelu, k: nil, fidelity: .reference)
        let dictionary = DictionaryOfRandomWeights(configuration) { name, matrix in
            if name == "threshold" { matrix.pointer[4] = -0.25 }
        }
        #expect(try refusal(dictionary.toExport, Self.saelens).contains("-0.25 of latent 4"))
    }

    @Test(arguments: [Self.saelens, Self.sparsify]) func tensorsThatDoNotFitAreRefused(_ write: @escaping Write) throws
    {
        let whole = DictionaryOfRandomWeights(try Self.configuration(.topk)).toExport
        func changed(
            _ tensors: [(name: String, dtype: TensorDType, shape: [Int])],
            read: (@Sendable (String) throws -> Matrix)? = nil
        ) -> DictionaryToExport {
            DictionaryToExport(
                configuration: whole.configuration, name: whole.name, tensors: tensors, read: read ?? whole.read,
                softwareVersion: "0.1.0")
        }
        #expect(
            try refusal(changed(whole.tensors.filter { $0.name != "decoder" }), write).contains("lacks tensor decoder"))
        let typed = whole.tensors.map { ($0.name, $0.name == "encoder" ? TensorDType.f64 : $0.dtype, $0.shape) }
        #expect(try refusal(changed(typed), write).contains("encoder is of type F64, expected F32, F16 or BF16"))
        let shaped = whole.tensors.map { ($0.name, $0.dtype, $0.name == "encoder" ? [7, 12] : $0.shape) }
        #expect(try refusal(changed(shaped), write).contains("encoder has shape [7, 12], expected [12, 7]"))
        let short = changed(whole.tensors) { $0 == "pre_bias" ? Matrix(rows: 1, columns: 3) : try whole.read($0) }
        #expect(try refusal(short, write).contains("pre_bias has 3 values, expected 7"))
        let infinite = changed(whole.tensors) { name in
            let matrix = try whole.read(name)
            if name == "encoder" { matrix.pointer[30] = .infinity }
            return matrix
        }
        #expect(try refusal(infinite, write).contains("encoder holds an infinity or a NaN"))
    }

    @Test(arguments: [Self.saelens, Self.sparsify]) func aScaleThatOverflowsIsRefused(_ write: @escaping Write) throws {
        let configuration = try DictionaryConfiguration(
            architecture: .topk, dModel: 7, latents: 12, k: 3, layers: [2], input: .scale(1e30))
        let dictionary = DictionaryOfRandomWeights(configuration) { name, matrix in
            if name == "encoder" { matrix.pointer[30] = 1e30 }
        }
        #expect(try refusal(dictionary.toExport, write).contains("would exceed 32-bit numbers"))
    }
}
