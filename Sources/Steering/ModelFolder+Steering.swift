import ActivationPipeline
package import FeatureCatalog
import LanguageModel
import Tokenization

extension ModelFolder {
    /// The inputs that a steering run records of the model: also its end tokens, and its chat template.
    ///
    /// - Throws: `WorkflowError` for a file that cannot be read.
    package func inputs(steering settings: SteeringSettings) throws -> [RunInput] {
        var names = [LanguageModelConfiguration.generationFileName]
        // The first also names the special tokens that templates write.
        if settings.chat != nil { names += ["tokenizer_config.json", Tokenizer.chatTemplateFileName] }
        return try inputs(generating: names)
    }
}
