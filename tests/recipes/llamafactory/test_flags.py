"""Every flag of both tools, and of transformers, is known: followed, ignored or refused."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib.resources import files

import pytest
import yaml

from tuneval.recipes.llamafactory.flags import load_flags

# The arguments of LLaMA-Factory (hparams/*.py, 0.6 to 0.9) and of ChatGLM-Efficient-Tuning.
LLAMA_FACTORY = """
model_name_or_path adapter_name_or_path adapter_folder cache_dir use_fast_tokenizer resize_vocab
split_special_tokens add_tokens add_special_tokens new_special_tokens_config init_special_tokens
model_revision low_cpu_mem_usage rope_scaling flash_attn shift_attn mixture_of_depths use_unsloth
use_unsloth_gc enable_liger_kernel moe_aux_loss_coef disable_gradient_checkpointing
use_reentrant_gc upcast_layernorm upcast_lmhead_output train_from_scratch infer_backend
offload_folder use_kv_cache infer_dtype hf_hub_token ms_hub_token om_hub_token print_param_status
trust_remote_code quantization_method quantization_bit quantization_type double_quantization
quantization_device_map export_dir export_size export_device export_quantization_bit
export_quantization_dataset export_quantization_nsamples export_quantization_maxlen
export_legacy_format export_hub_model_id template dataset eval_dataset dataset_dir media_dir
data_shared_file_system cutoff_len train_on_prompt mask_history streaming buffer_size mix_strategy
interleave_probs overwrite_cache preprocessing_batch_size preprocessing_num_workers max_samples
eval_num_beams ignore_pad_token_for_loss val_size eval_on_each_dataset packing neat_packing
tool_format default_system enable_thinking preserve_thinking tokenized_path stage finetuning_type
freeze_trainable_layers freeze_trainable_modules freeze_extra_modules additional_target
module_dropout lora_alpha lora_dropout lora_rank lora_target loraplus_lr_ratio
loraplus_lr_embedding use_rslora use_dora pissa_init pissa_iter pissa_convert create_new_adapter
oft_rank oft_block_size oft_target use_llama_pro pref_beta pref_ftx pref_bco_weight pref_loss
dpo_label_smoothing kto_chosen_weight kto_rejected_weight simpo_gamma ref_model ref_model_adapters
ref_model_quantization_bit reward_model reward_model_adapters reward_model_quantization_bit
reward_model_type ppo_buffer_size ppo_epochs ppo_score_norm ppo_target ppo_whiten_rewards ld_alpha
use_galore galore_target galore_rank galore_update_interval galore_scale galore_proj_type
galore_layerwise use_apollo apollo_target apollo_rank apollo_update_interval apollo_scale
apollo_proj apollo_proj_type apollo_layerwise apollo_scale_front use_badam badam_mode
badam_start_block badam_switch_mode badam_switch_interval badam_update_ratio badam_mask_mode
badam_verbose use_adam_mini use_muon use_mca use_dft_loss use_asft_loss use_eaft_loss pure_bf16
freeze_vision_tower freeze_multi_modal_projector freeze_language_model compute_accuracy
disable_shuffling early_stopping_steps plot_loss include_effective_tokens_per_second use_swanlab
swanlab_project swanlab_workspace swanlab_run_name swanlab_mode swanlab_api_key swanlab_logdir
swanlab_lark_webhook_url swanlab_lark_secret do_sample temperature top_p top_k num_beams max_length
max_new_tokens repetition_penalty length_penalty skip_special_tokens ray_run_name ray_storage_path
ray_storage_filesystem ray_num_workers resources_per_worker placement_strategy ray_init_kwargs
overwrite_output_dir task task_dir batch_size lang n_shot save_dir download_mode
"""
CHATGLM = """
config_name tokenizer_name use_auth_token compute_dtype checkpoint_dir resume_lora_training split
max_source_length max_target_length source_prefix dev_ratio num_layer_trainable
name_module_trainable pre_seq_len prefix_projection use_v2
"""
# Names that transformers has given up, and that stand in many a file.
FORMER = """
evaluation_strategy warmup_ratio logging_dir save_safetensors group_by_length no_cuda
push_to_hub_model_id include_tokens_per_second
"""


@pytest.mark.parametrize("names", [LLAMA_FACTORY, CHATGLM, FORMER], ids=["lf", "chatglm", "former"])
def test_every_flag_of_the_tools_is_known(names):
    known = set(load_flags().names)
    assert [name for name in names.split() if name not in known] == []


def test_every_argument_of_transformers_is_known():
    from transformers import Seq2SeqTrainingArguments

    known = set(load_flags().names)
    assert [f.name for f in fields(Seq2SeqTrainingArguments) if f.name not in known] == []


def test_a_flag_stands_once_in_the_table():
    text = files("tuneval.recipes.llamafactory").joinpath("flags.yaml").read_text("utf-8")
    content = yaml.safe_load(text)
    groups = [*content["ignored"], *content["refused"]]
    names = [*content["becomes"], *(name for g in groups for name in g["flags"].split())]
    assert sorted(names) == sorted(set(names))


def test_every_flag_that_becomes_something_is_read_by_the_code():
    folder = files("tuneval.recipes.llamafactory")
    code = "".join(p.read_text("utf-8") for p in folder.iterdir() if p.name.endswith(".py"))
    read = set(re.findall(r'"(\w+)"', code))
    assert [name for name in load_flags().becomes if name not in read] == []
