import ArgumentParser
import Interchange
import SparseCoding

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a dictionary as a folder that another program loads.",
        discussion: """
            saelens: cfg.json and sae_weights.safetensors for SAE.load_from_disk; of a dictionary that reads several \
            layers one folder a layer, with the router beside them and a README of how to route. sparsify: layers.L/cfg.json \
            and layers.L/sae.safetensors. What the other program computes otherwise is said on standard error; what \
            it cannot compute is refused.

            Examples:
              routesae export c.sqlite topk-saelens --to saelens --dictionary topk-l3
              routesae export c.sqlite run --to sparsify --dictionary imported
            """)

    @OptionGroup var catalog: CatalogArgument
    @Argument(help: "The folder to make.")
    var folder: String
    @Option(help: "The program: saelens or sparsify.")
    var to: ExportFormat
    @OptionGroup var dictionary: DictionaryOption
    @OptionGroup var options: RunOptions

    func run() throws {
        let job = ExportRun(dictionary: dictionary.dictionary, folder: folder, format: to)
        let result = try catalog.read(atOnce: false) { try job.run(from: $0) }
        result.remarks.forEach(StandardStreams.remark)
        let layers = result.configuration.layers.map(String.init).joined(separator: ", ")
        options.say("\(folder): \"\(result.name)\", layer \(layers), for \(to.rawValue)")
    }
}

extension ExportFormat: ExpressibleByArgument {}
