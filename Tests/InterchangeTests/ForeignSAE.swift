import Foundation
import LinearAlgebra
import RandomNumbers
import Safetensors

/// A SAELens folder of the width of the tiny model, written by hand.
struct ForeignSAE {
    var d = 16
    var m = 40
    var layer = 1
    var architecture = "topk"
    var normalization = "none"
    var k = 4
    var rescales = false
    var dtype = TensorDType.f32
    /// Written over the first value of `W_dec`.
    var firstValue: Float?

    /// Writes the folder.
    func write(to path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        var config: [String: Any] = [
            "architecture": architecture, "d_in": d, "d_sae": m, "dtype": "float32", "device": "cpu",
            "apply_b_dec_to_input": true, "normalize_activations": normalization, "reshape_activations": "none",
            "metadata": [
                "sae_lens_version": "6.54.12", "model_name": "tiny", "hook_name": "blocks.\(layer).hook_resid_post",
                "context_size": 64,
            ],
        ]
        if architecture == "topk" { config["k"] = k; config["rescale_acts_by_decoder_norm"] = rescales }
        try JSONSerialization.data(withJSONObject: config).write(to: URL(filePath: path + "/cfg.json"))
        var tensors: [(name: String, dtype: TensorDType, shape: [Int])] = [
            ("W_enc", dtype, [d, m]), ("W_dec", dtype, [m, d]), ("b_enc", dtype, [m]), ("b_dec", dtype, [d]),
        ]
        if architecture == "jumprelu" { tensors.append(("threshold", dtype, [m])) }
        let writer = try SafetensorsWriter(path: path + "/sae_weights.safetensors", tensors: tensors, overwrite: true)
        for tensor in tensors {
            var generator = CounterGenerator(seed: UInt64(layer), stream: tensor.name)
            var values = (0..<tensor.shape.reduce(1, *)).map { _ in generator.uniform() - 0.5 }
            if tensor.name == "W_dec", let firstValue { values[0] = firstValue }
            try writer.append(tensor.name, floats: values)
        }
        try writer.finish()
    }
}
