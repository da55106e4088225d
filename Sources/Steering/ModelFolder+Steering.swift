import ActivationPipeline
package import FeatureCatalog
import LanguageModel
import Tokenization

extension ModelFolder {
    /// What a run that lets the model write records of it: also what says where a text ends, and how a chat is written.
    ///
    /// - Throws: `WorkflowError` for a file that cannot be read.
    package func inputs(steering settings: SteeringSettings) throws -> [RunInput] {
        var names = [LanguageModelConfiguration.generationFileName]
        // The first also names the special tokens that templates write.
        if settings.chat != nil { names += ["tokenizer_config.json", Tokenizer.chatTemplateFileName] }
        return try inputs(generating: names)
    }
}
