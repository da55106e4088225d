/// Kinds of models that do not run here, so that they can be refused by what they are.
enum UnsupportedModel: CaseIterable {
    case mixtureOfExperts, stateSpace, linearAttention, encoder, encoderDecoder, vision, audio

    /// The kind that a `model_type` belongs to; nil if it is not known.
    init?(modelType: String) {
        guard let kind = Self.allCases.first(where: { $0.modelTypes.contains(modelType) }) else { return nil }
        self = kind
    }

    /// What such a model is.
    var description: String {
        switch self {
        case .mixtureOfExperts: "a mixture of experts"
        case .stateSpace: "a model with state-space layers"
        case .linearAttention: "a model with linear attention or recurrent layers"
        case .encoder: "an encoder"
        case .encoderDecoder: "an encoder with a decoder"
        case .vision: "a model of images"
        case .audio: "a model of sound"
        }
    }

    /// By the names that transformers has (`models/auto/configuration_auto.py`).
    private var modelTypes: Set<String> {
        switch self {
        case .mixtureOfExperts:
            [
                "dbrx", "deepseek_v2", "deepseek_v3", "dots1", "ernie4_5_moe", "flex_olmo", "glm4_moe", "gpt_oss",
                "granitemoe", "granitemoeshared", "hunyuan_v1_moe", "jetmoe", "llama4", "llama4_text", "longcat_flash",
                "minimax_m2", "mixtral", "nllb-moe", "olmoe", "phimoe", "qwen2_moe", "qwen3_moe", "qwen3_vl_moe",
                "switch_transformers",
            ]
        case .stateSpace:
            [
                "bamba", "falcon_h1", "falcon_mamba", "granitemoehybrid", "jamba", "mamba", "mamba2", "nemotron_h",
                "zamba", "zamba2",
            ]
        case .linearAttention:
            [
                "kimi_linear", "lfm2", "lfm2_moe", "minimax", "olmo_hybrid", "qwen3_5", "qwen3_5_text", "qwen3_next",
                "recurrent_gemma", "rwkv", "xlstm",
            ]
        case .encoder:
            [
                "albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "esm", "mobilebert",
                "modernbert", "mpnet", "nomic_bert", "roberta", "xlm-roberta",
            ]
        case .encoderDecoder:
            ["bart", "bigbird_pegasus", "fsmt", "led", "m2m_100", "marian", "mbart", "mt5", "pegasus", "t5", "umt5"]
        case .vision:
            [
                "gemma3n", "gemma3n_text", "mllama", "mllama_text_model", "paligemma", "qwen2_vl", "qwen2_vl_text",
                "qwen2_5_vl", "qwen2_5_vl_text", "qwen3_vl", "qwen3_vl_text", "beit", "clip", "clip_text_model",
                "clip_vision_model", "convnext", "deit", "detr", "dinov2", "resnet",
                "sam", "siglip", "siglip_vision_model", "swin", "vit", "vit_mae",
            ]
        case .audio:
            ["clap", "encodec", "hubert", "speecht5", "wav2vec2", "wavlm", "whisper"]
        }
    }
}
